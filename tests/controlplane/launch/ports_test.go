package launch

import (
	"context"
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func listenShared(t *testing.T, address string) (net.Listener, error) {
	t.Helper()
	config := net.ListenConfig{Control: func(_, _ string, connection syscall.RawConn) error {
		var failed error
		err := connection.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		})
		if err != nil {
			return err
		}
		return failed
	}}
	return config.Listen(context.Background(), "tcp", address)
}

func TestAReservedPortIsForThoseWhoShareItOnly(t *testing.T) {
	port, err := reservePort()
	if err != nil {
		t.Fatal(err)
	}
	defer port.release()
	if other, err := net.Listen("tcp", port.address()); err == nil {
		_ = other.Close()
		t.Error("an ordinary listener took the reserved port")
	}
	listener, err := listenShared(t, port.address())
	if err != nil {
		t.Fatalf("the program that the port is for cannot listen: %v", err)
	}
	defer func() { _ = listener.Close() }()
	// If the reservation took part in the kernel's choice among sharers, half of these would be refused.
	for range 50 {
		connection, err := net.Dial("tcp", port.address())
		if err != nil {
			t.Fatal(err)
		}
		accepted, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = connection.Close(), accepted.Close()
	}
}

func TestReservedPortsDiffer(t *testing.T) {
	seen := map[int]bool{}
	for range 200 {
		port, err := reservePort()
		if err != nil {
			t.Fatal(err)
		}
		defer port.release()
		if seen[port.port] {
			t.Fatalf("port %d was given twice", port.port)
		}
		seen[port.port] = true
	}
}
