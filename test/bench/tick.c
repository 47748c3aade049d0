/* The supervised program: says when its first instruction ran, then waits for ever. Argument: the file to say it in. */
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

int main(int count, char **args) {
  struct timespec now;
  long long record[2];
  int file;
  clock_gettime(CLOCK_MONOTONIC, &now);
  record[0] = now.tv_sec * 1000000000LL + now.tv_nsec;
  record[1] = getpid();
  file = open(args[count - 1], O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (file < 0 || write(file, record, sizeof record) != sizeof record) return 1;
  close(file);
  for (;;) pause();
}
