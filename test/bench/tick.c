/*
 * The supervised program: says when its first instruction ran, then waits for ever.
 * Arguments: how many milliseconds it drains for when it is sent SIGTERM (none: it ends by it), and the file to say it in.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t asked;

static void ask(int signal) {
  (void)signal;
  asked = 1;
}

static void drain(long ms) {
  struct timespec rest = {ms / 1000, ms % 1000 * 1000000L};
  sigset_t term, before;
  struct sigaction action = {0};
  action.sa_handler = ask;
  sigaction(SIGTERM, &action, 0);
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, &before);
  while (!asked) sigsuspend(&before);
  while (nanosleep(&rest, &rest) != 0) {
  }
}

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
  if (count > 2) {
    drain(atol(args[1]));
    return 0;
  }
  for (;;) pause();
}
