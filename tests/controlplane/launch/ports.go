package launch

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// reservation is a TCP port of 127.0.0.1 that nobody else is given while it is held.
//
// The socket is bound with SO_REUSEPORT but never listens. The kernel therefore hands the port to no other process that
// asks for a free one, sends it no connection, and lets the program that the port is meant for bind it too, since that
// program also sets SO_REUSEPORT (kube-apiserver --permit-port-sharing, etcd --socket-reuse-port). So nothing can take
// the port between choosing it and using it, and no start needs a second try.
type reservation struct {
	port int
	fd   int
}

func reservePort() (*reservation, error) {
	syscall.ForkLock.RLock() // no child may inherit the descriptor before it is marked close-on-exec
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, fmt.Errorf("open a socket: %w", err)
	}
	port, err := bindLoopback(fd)
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("reserve a port: %w", err)
	}
	return &reservation{port: port, fd: fd}, nil
}

func bindLoopback(fd int) (int, error) {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return 0, err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, err
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return 0, err
	}
	address, ok := name.(*unix.SockaddrInet4)
	if !ok {
		return 0, fmt.Errorf("unexpected address type %T", name)
	}
	return address.Port, nil
}

func (r *reservation) address() string { return fmt.Sprintf("127.0.0.1:%d", r.port) }

func (r *reservation) release() { _ = unix.Close(r.fd) }
