/*
 * A worker that is restarted: does one job after another, each a child process that sleeps. Asked to end (TERM, INT),
 * it finishes the job under way and ends so long after it was asked. Says in the file what happens to it.
 * Arguments: the file, how long it drains and how long a job takes, both in milliseconds.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SERVING, ASKED, ENDED, BEGUN, DONE, INTERRUPTED };

static int file;
static sigset_t heard;

static long long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static struct timespec lasting(long long ns) {
  struct timespec time = {ns / 1000000000LL, ns % 1000000000LL};
  return time;
}

static void say(long long what) {
  long long record[3];
  record[0] = now_ns();
  record[1] = getpid();
  record[2] = what;
  if (write(file, record, sizeof record) != sizeof record) _exit(1);
}

static pid_t begin_job(long ms) {
  struct timespec rest = lasting(ms * 1000000LL);
  pid_t job = fork();
  if (job == 0) {
    sigprocmask(SIG_UNBLOCK, &heard, 0);
    nanosleep(&rest, 0);
    _exit(0);
  }
  say(BEGUN);
  return job;
}

static void say_ready(void) {
  const char ready[] = "READY=1\n";
  if (getenv("TSUP_VISOR_NOTIFY_FD") && write(3, ready, sizeof ready - 1) < 0) _exit(1);
}

int main(int count, char **args) {
  long long end = 0;
  pid_t job;
  if (count != 4) return 2;
  file = open(args[1], O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (file < 0) return 1;
  sigemptyset(&heard);
  sigaddset(&heard, SIGTERM);
  sigaddset(&heard, SIGINT);
  sigaddset(&heard, SIGCHLD);
  sigprocmask(SIG_BLOCK, &heard, 0);
  say(SERVING);
  say_ready();
  job = begin_job(atol(args[3]));
  while (end == 0 || job != 0 || now_ns() < end) {
    long long left = end == 0 || end <= now_ns() ? 1000000000LL : end - now_ns();
    struct timespec rest = lasting(left);
    int status = 0;
    int got = sigtimedwait(&heard, 0, &rest);
    if (end == 0 && (got == SIGTERM || got == SIGINT)) {
      end = now_ns() + atol(args[2]) * 1000000LL;
      say(ASKED);
    }
    if (job != 0 && waitpid(job, &status, WNOHANG) == job) {
      say(status == 0 ? DONE : INTERRUPTED);
      job = end == 0 ? begin_job(atol(args[3])) : 0;
    }
  }
  say(ENDED);
  return 0;
}
