/*
 * A program that writes lines of 100 bytes, as much and as fast as it is told, and then waits for ever: so nobody starts
 * it again, and whoever logs for it can still be asked what that took.
 * Arguments: a FIFO, which it waits for somebody to open; how many bytes (0: without end); how many of them in one
 * write; how many a second (0: as fast as they go); and the file to say in when it was begun.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 100, MOST = 64000 };

static char chunk[MOST];

static long long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void wait_until(long long ns) {
  struct timespec when = {ns / 1000000000LL, ns % 1000000000LL};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, 0) != 0) {
  }
}

static void say_begun(const char *path) {
  long long record[2] = {now_ns(), getpid()};
  int file = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (file < 0 || write(file, record, sizeof record) != sizeof record) _exit(1);
  close(file);
}

static void write_all(size_t length) {
  size_t done = 0;
  while (done < length) {
    ssize_t got = write(1, chunk + done, length - done);
    if (got < 0) _exit(1);
    done += got;
  }
}

int main(int count, char **args) {
  long long left, size, rate, sent = 0, began;
  int go, endless, at;
  if (count != 6) return 2;
  left = atoll(args[2]);
  size = atoll(args[3]);
  rate = atoll(args[4]);
  endless = left == 0;
  if (size < 1 || size > MOST) return 2;
  for (at = 0; at < MOST; at++) chunk[at] = at % LINE == LINE - 1 ? '\n' : 'a' + at % LINE % 26;
  say_begun(args[5]);
  go = open(args[1], O_RDONLY);
  if (go < 0) return 1;
  close(go);
  /* Those that write now and then do not do so all at once. */
  began = now_ns() + (rate > 0 ? getpid() * 7919LL % 1000 * (size * 1000000LL / rate) : 0);
  while (endless || left > 0) {
    long long length = endless || left > size ? size : left;
    /* Not one by one where they are as close as microseconds. */
    long long due = rate > 0 ? began + (long long)((double)sent / rate * 1e9) : 0;
    if (rate > 0 && due > now_ns() + 500000) wait_until(due);
    write_all(length);
    sent += length;
    left -= length;
  }
  for (;;) pause();
}
