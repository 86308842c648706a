package launch

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// stopGrace is how long a child may take to end after SIGTERM before it is killed.
	stopGrace = 5 * time.Second
	// tailBytes is how much of the end of a failed child's log is shown.
	tailBytes = 4096
)

// process is a running child whose output goes to a file.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when the child has ended; err is set before
	err  error
}

// startProcess starts an executable under a program name, which a multi-call executable dispatches on. The caller's
// goroutine must be locked to its thread for the child's life: the child dies with that thread. When the child ends,
// for whatever reason, ended is told which child it was and what it said last.
func startProcess(dir, name, executable string, ended func(error), args ...string) (*process, error) {
	log := filepath.Join(dir, name+".log")
	output, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = output.Close() }() // the child has its own descriptor
	p := &process{name: name, log: log, done: make(chan struct{})}
	p.cmd = &exec.Cmd{
		Path:        executable,
		Args:        append([]string{name}, args...),
		Dir:         dir,
		Env:         childEnvironment(),
		Stdout:      output,
		Stderr:      output,
		SysProcAttr: childAttributes(),
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
		ended(p.failure())
	}()
	return p, nil
}

// childEnvironment leaves out everything that could configure a child from outside, such as ETCD_* and proxy variables.
func childEnvironment() []string {
	var kept []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GOMAXPROCS", "GOMEMLIMIT", "GOGC"} {
		if value, ok := os.LookupEnv(name); ok {
			kept = append(kept, name+"="+value)
		}
	}
	return kept
}

// failure describes a child that ended on its own, with the end of its log.
func (p *process) failure() error {
	reason := "ended"
	if p.err != nil {
		reason = p.err.Error()
	}
	return fmt.Errorf("%s: %s\n%s", p.name, reason, p.tail())
}

// tail returns the last lines of the child's log.
func (p *process) tail() string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	if cut := len(content) - tailBytes; cut > 0 {
		content = content[cut:]
		if newline := bytes.IndexByte(content, '\n'); newline >= 0 {
			content = content[newline+1:]
		}
	}
	return fmt.Sprintf("--- end of %s.log\n%s---", p.name, content)
}

// stop asks the child to end, kills it if it does not, and returns when it is gone.
func (p *process) stop() {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
		<-p.done
		return
	}
	select {
	case <-p.done:
	case <-time.After(stopGrace):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// childAttributes puts a child into a process group of its own, so that Ctrl-C reaches only the launcher, which ends the
// children in order; and lets the kernel kill the child when the launcher is gone, even by SIGKILL. Only Linux can do that.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
