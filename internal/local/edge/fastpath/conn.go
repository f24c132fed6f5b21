package fastpath

import (
	"net"
	"net/http"
	"time"
)

const (
	// maxHead is the longest head of a plain request, in bytes.
	maxHead = 4 << 10
	// maxCopied is the largest body that is copied behind its head, so that both are
	// one write of one piece.
	maxCopied = 32 << 10
	// idle is how long a connection may wait for its next request, and idleStep how
	// much less it may be, so that not each request sets a timer.
	idle, idleStep = 2 * time.Minute, 10 * time.Second
)

// serve answers the plain requests of a connection. It returns what it has read
// when something else comes, and nil when the connection is at its end.
func (f *Listener) serve(c net.Conn) (rest []byte) {
	var (
		r     = Request{ClientIP: clientIP(c)}
		in    = make([]byte, maxHead)
		out   []byte
		armed time.Time
	)
	for {
		now := time.Now()
		if now.Sub(armed) > idleStep {
			if c.SetReadDeadline(now.Add(idle)) != nil {
				return nil
			}
			armed = now
		}
		if f.closing.Load() { // after the deadline was set: Close sets its own later
			return nil
		}
		n, err := c.Read(in)
		if err != nil {
			return nil
		}
		for rest = in[:n]; len(rest) > 0; {
			size, ok := r.read(rest)
			if !ok {
				return rest
			}
			a := f.handler.Answer(&r)
			if a == nil {
				return rest
			}
			var sent int64
			out, sent, err = a.write(c, out, f.date(time.Now()))
			f.handler.Answered(&r, a, sent)
			if err != nil || f.closing.Load() {
				return nil
			}
			rest = rest[size:]
		}
	}
}

// write sends the answer, and returns its buffer and how much of the body went out.
func (a *Answer) write(c net.Conn, buffer []byte, date string) (_ []byte, sent int64, err error) {
	buffer = append(buffer[:0], a.Head...)
	buffer = append(buffer, "Date: "...)
	buffer = append(buffer, date...)
	buffer = append(buffer, "\r\n\r\n"...)
	head := int64(len(buffer))
	if len(a.Body) <= maxCopied {
		buffer = append(buffer, a.Body...)
		n, err := c.Write(buffer)
		return buffer, max(0, int64(n)-head), err
	}
	both := net.Buffers{buffer, a.Body}
	n, err := both.WriteTo(c)
	return buffer, max(0, n-head), err
}

// second is a second as headers have it.
type second struct {
	unix int64
	text string
}

// date is a time as headers have it.
func (f *Listener) date(now time.Time) string {
	if d := f.second.Load(); d != nil && d.unix == now.Unix() {
		return d.text
	}
	d := &second{now.Unix(), now.UTC().Format(http.TimeFormat)}
	f.second.Store(d)
	return d.text
}

// clientIP is the address of the other side, without its port.
func clientIP(c net.Conn) string {
	address, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return ""
	}
	return address.AddrPort().Addr().Unmap().WithZone("").String()
}

// handed is a connection of which something was read already.
type handed struct {
	net.Conn
	read []byte
}

func (h *handed) Read(b []byte) (int, error) { return readOn(&h.read, b, h.Conn) }

// handedTCP is the same of TCP, which the HTTP server copies files to in ways of its
// own.
type handedTCP struct {
	*net.TCPConn
	read []byte
}

func (h *handedTCP) Read(b []byte) (int, error) { return readOn(&h.read, b, h.TCPConn) }

func readOn(read *[]byte, b []byte, c net.Conn) (int, error) {
	if len(*read) == 0 {
		*read = nil
		return c.Read(b)
	}
	n := copy(b, *read)
	*read = (*read)[n:]
	return n, nil
}
