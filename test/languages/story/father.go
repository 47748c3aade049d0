// A father of the story, in Go: begins a job every so often, each second one through `bash hello.sh`.
// Every `begun N` in the ledger is to be followed by `done N`; `cut N` is what the story is about.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

var (
	everyMs  = flag.Int("every-ms", 5000, "from the beginning of a job to that of the next")
	takesMs  = flag.Int("takes-ms", 3000, "how long a job takes")
	jobGroup = flag.String("job-group", "own", "own, or shared: in the father's, so that a signal to that cuts it")
)

func main() {
	flag.Parse()
	ledger, err := os.OpenFile("ledger", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		log.Fatal(err)
	}
	note := func(what, job string) {
		if _, err := fmt.Fprintln(ledger, what, job); err != nil {
			log.Print(err)
		}
	}
	supervisor := connect()
	quiet, takeNoMore := context.WithCancel(context.Background())
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-asked
		supervisor.say("STOPPING=1")
		takeNoMore()
	}()

	name := os.Getenv("TSUP_VISOR_INSTANCE")
	seconds := fmt.Sprint(float64(*takesMs) / 1000)
	tick := time.NewTicker(time.Duration(*everyMs) * time.Millisecond)
	var jobs sync.WaitGroup
	supervisor.say("READY=1")
	for n := 1; quiet.Err() == nil; n++ {
		job := fmt.Sprintf("%s.%d", name, n)
		command := exec.Command("sleep", seconds)
		if n%2 == 1 {
			command = exec.Command("bash", "hello.sh", job, seconds)
		}
		jobs.Add(1)
		supervisor.count(1)
		go func() {
			defer jobs.Done()
			defer supervisor.count(-1)
			note("begun", job)
			if err := run(command); err != nil {
				log.Printf("job %s: %v", job, err)
				note("cut", job)
			} else {
				note("done", job)
			}
		}()
		select {
		case <-quiet.Done():
		case <-tick.C:
		}
	}
	jobs.Wait()
	supervisor.say("X_DRAINED=1")
}

func run(command *exec.Cmd) error {
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: *jobGroup == "own"}
	return command.Run()
}

type supervisor struct {
	sync.Mutex
	inFlight int
	// nil where nobody listens
	channel *os.File
}

func connect() *supervisor {
	if os.Getenv("TSUP_VISOR_NOTIFY_FD") != "3" {
		return &supervisor{}
	}
	os.Unsetenv("TSUP_VISOR_NOTIFY_FD")
	os.Unsetenv("NOTIFY_SOCKET")
	syscall.CloseOnExec(3)
	return &supervisor{channel: os.NewFile(3, "supervisor")}
}

func (s *supervisor) say(message string) {
	if s.channel != nil {
		fmt.Fprintln(s.channel, message)
	}
}

func (s *supervisor) count(jobs int) {
	s.Lock()
	defer s.Unlock()
	s.inFlight += jobs
	s.say(fmt.Sprintf("X_INFLIGHT=%d", s.inFlight))
}
