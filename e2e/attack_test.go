package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/api"
)

// maxResident is how much memory, in bytes, the server may ever have used after all of it.
const maxResident = 200 << 20

// nonsense is something a hostile or broken peer sends over one connection, before it closes its half.
type nonsense struct {
	name string
	send string
	// want is the status of each answer. Where it is nil there may be one answer or none, which is no success.
	want []int
}

// target is what nonsense is made of: routes and a token that work.
type target struct{ users, suspend, host, auth string }

// framings are attempts to have one party see a second request where another sees a body (RFC 9112 section 11.2).
func framings(g target) []nonsense {
	head := "POST " + g.suspend + " HTTP/1.1\r\n" + g.host + g.auth
	smuggled := "GET " + g.users + " HTTP/1.1\r\n" + g.host + g.auth + "\r\n"
	return []nonsense{
		{"length and chunks", head + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{200}},
		{"chunks and length", head + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + smuggled, []int{200}},
		{"two lengths", head + "Content-Length: 0\r\nContent-Length: 2\r\n\r\n" + smuggled, nil},
		{"two lengths in one", head + "Content-Length: 0, 2\r\n\r\n" + smuggled, nil},
		{"a negative length", head + "Content-Length: -1\r\n\r\n" + smuggled, nil},
		{"a length with a sign", head + "Content-Length: +2\r\n\r\n{}" + smuggled, nil},
		{"a length beyond 64 bits", head + "Content-Length: 99999999999999999999\r\n\r\n", nil},
		{"a space before the colon", head + "Content-Length : 2\r\n\r\n" + smuggled, nil},
		{"a folded line", head + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{200}},
		{"an unknown coding", head + "Transfer-Encoding: xchunked\r\n\r\n" + smuggled, nil},
		{"two codings", head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", nil},
		{"a coding with a vertical tab", head + "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n", nil},
		{"a chunk size beyond 64 bits", head + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n", []int{400}},
		{"a chunk size in words", head + "Transfer-Encoding: chunked\r\n\r\ntwo\r\n{}\r\n0\r\n\r\n", []int{400}},
		{"a chunk that does not end", head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}GET / HTTP/1.1\r\n", []int{400}},
		{"chunks by HTTP/1.0", strings.Replace(head, "/1.1", "/1.0", 1) + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{200}},
	}
}

// oddities are requests that are wrong in themselves.
func oddities(g target) []nonsense {
	get := "GET " + g.users + " HTTP/1.1\r\n" + g.host + g.auth
	noise := make([]byte, 64<<10)
	chance := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(chance.Uint32())
	}
	return []nonsense{
		{"nothing", "", []int{}},
		{"half a request", get[:len(get)/2], nil},
		{"a body that is cut", "POST " + g.suspend + " HTTP/1.1\r\n" + g.host + g.auth + "Content-Length: 9\r\n\r\n{", nil},
		{"noise", string(noise), nil},
		{"no host", "GET / HTTP/1.1\r\n\r\n", nil},
		{"two hosts", get + g.host + "\r\n", nil},
		{"a version from the future", strings.Replace(get, "1.1", "9.9", 1) + "\r\n", nil},
		{"HTTP/0.9", "GET /\r\n", nil},
		{"HTTP/2 without having asked", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", nil},
		{"a NUL in a header", get + "X-Odd: a\x00b\r\n\r\n", nil},
		{"a NUL in the target", "GET /\x00 HTTP/1.1\r\n" + g.host + "\r\n", nil},
		{"an encoded NUL in an id", "GET " + g.users + "/%00 HTTP/1.1\r\n" + g.host + g.auth + "\r\n", []int{404}},
		{"a broken escape", "GET /%zz HTTP/1.1\r\n" + g.host + "\r\n", nil},
		{"a line feed alone", strings.ReplaceAll(get, "\r\n", "\n") + "\n", []int{200}},
		{"a carriage return in a header", get + "X-Odd: a\rX-User: b\r\n\r\n", nil},
		{"CONNECT", "CONNECT example.com:443 HTTP/1.1\r\n" + g.host + "\r\n", []int{404}},
		{"the server itself", "OPTIONS * HTTP/1.1\r\n" + g.host + "\r\n", []int{404}},
		{"another server's address", "GET http://example.com/ HTTP/1.1\r\n" + g.host + "\r\n", []int{404}},
		{"a method of 10000 letters", strings.Repeat("X", 10000) + " / HTTP/1.1\r\n" + g.host + "\r\n", []int{404}},
		{"a target of 20000 bytes", "GET /" + strings.Repeat("a", 20000) + " HTTP/1.1\r\n" + g.host + "\r\n", []int{414}},
		{"a header of 40000 bytes", get + "X-Long: " + strings.Repeat("a", 40000) + "\r\n\r\n", []int{431}},
		{"a header of 4 MiB", get + "X-Long: " + strings.Repeat("a", 4<<20) + "\r\n\r\n", nil},
		{"100000 headers", get + strings.Repeat("A: b\r\n", 100_000) + "\r\n", nil},
		{"10000 requests in a row", strings.Repeat("GET /no HTTP/1.1\r\n"+g.host+"\r\n", 10_000), repeat(404, 10_000)},
	}
}

func repeat(status, n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = status
	}
	return list
}

// TestNonsense sends what no client should. Each connection gets what it deserves, nobody else notices, and in the end
// the server has not grown.
func TestNonsense(t *testing.T) {
	t.Parallel()
	seeded := newSeed(t, 1)
	s := start(t, append([]string{"--tls=off", "--data=" + t.TempDir(), "--seed=" + seeded.file}, noLimits...)...)
	bearer := s.issue(t)
	g := target{
		users: s.askUsers("", "").path, suspend: s.askAct("", seeded.people[0], "suspend", "").path,
		host: "Host: " + s.addr() + "\r\n", auth: "Authorization: Bearer " + bearer + "\r\n",
	}
	for _, n := range append(framings(g), oddities(g)...) {
		got := exchange(t, s, n)
		if err := n.judge(got); err != nil {
			t.Errorf("%s: %v", n.name, err)
		}
		s.must(t, s.askUsers(bearer, ""))
	}
	hello := strings.Repeat("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 100)
	if got := exchange(t, s, nonsense{send: hello}); len(got) > 1 {
		t.Errorf("TLS to the plain port: %d answers", len(got))
	}
	byteByByte(t, s, "GET "+g.users+" HTTP/1.1\r\n"+g.host+g.auth+"\r\n")
	s.healthy(t, bearer)
}

// exchange sends it and returns what comes back until the server closes the connection. Our half is closed when the answers
// that are wanted are there, not before: the server drops the work of a client that has gone. A connection that is reset
// has said what it had to say.
func exchange(t *testing.T, s *server, n nonsense) (answers []answer) {
	t.Helper()
	conn, err := net.DialTCP("tcp", nil, s.tcpAddr(t))
	if err != nil {
		t.Fatalf("%s: %v\n%s", n.name, err, &s.stderr)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience)) // or hang, which is a failure too
	go func() {
		_, _ = io.WriteString(conn, n.send) // the server need not read all of it
		if len(n.want) == 0 {
			_ = conn.CloseWrite()
		}
	}()
	for r := bufio.NewReader(conn); ; {
		a, err := wire{r: r}.read()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection is never closed", n.name)
		}
		if err != nil {
			return answers
		}
		if answers = append(answers, a); len(answers) == len(n.want) {
			_ = conn.CloseWrite()
		}
	}
}

func (s *server) tcpAddr(t *testing.T) *net.TCPAddr {
	t.Helper()
	addr, err := net.ResolveTCPAddr("tcp", s.addr())
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// judge compares the answers with what is wanted.
func (n nonsense) judge(got []answer) error {
	if n.want == nil {
		if len(got) > 1 || (len(got) == 1 && (got[0].status < 400 || got[0].status >= 500) && !refusedProtocol[got[0].status]) {
			return fmt.Errorf("got %v, want at most one answer, a refusal", got)
		}
		return nil
	}
	if len(got) != len(n.want) {
		return fmt.Errorf("got %d answers, want %d", len(got), len(n.want))
	}
	for i, a := range got {
		if a.status != n.want[i] {
			return fmt.Errorf("answer %d: got %v, want %d", i+1, a, n.want[i])
		}
	}
	return nil
}

// refusedProtocol are refusals of the protocol itself.
var refusedProtocol = map[int]bool{http.StatusNotImplemented: true, http.StatusHTTPVersionNotSupported: true}

// byteByByte sends a request in as many pieces as it has bytes.
func byteByByte(t *testing.T, s *server, request string) {
	t.Helper()
	w := dialWire(t, s)
	for i := range len(request) {
		w.write(t, "%s", request[i:i+1])
	}
	if a, err := w.read(); err != nil || a.status != http.StatusOK {
		t.Errorf("a header sent byte by byte: %v, %v, want 200", a, err)
	}
}

// healthy asks for the server's answers, calm and size after all that was done to it.
func (s *server) healthy(t *testing.T, bearer string) {
	t.Helper()
	if users := decode[api.ListUsersResponse](t, s.must(t, s.askUsers(bearer, ""))).Results; len(users) == 0 {
		t.Error("the list is empty")
	}
	if peak := peakResident(t, s.cmd.Process.Pid); peak > maxResident {
		t.Errorf("the server has used %d MiB, want at most %d", peak>>20, maxResident>>20)
	}
	s.stop(t)
}

// peakResident is the most memory that a process has used so far, in bytes: VmHWM of proc_pid_status(5).
func peakResident(t *testing.T, pid int) (bytes int64) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	if _, err := fmt.Sscan(after, &bytes); err != nil {
		t.Fatalf("VmHWM in %s: %v", text, err)
	}
	return bytes << 10
}
