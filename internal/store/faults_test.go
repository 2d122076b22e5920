package store_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/rollcall-id/rollcall/internal/pgtest"
	"github.com/rollcall-id/rollcall/internal/store"
	"github.com/rollcall-id/rollcall/internal/store/storetest"
)

// A saboteur stands between a store and its server and reads along. At some of the
// commits, chosen by a seed, it does what goes wrong in a cluster: the server refuses
// with a serialization failure, or the connection breaks before the commit arrives, or
// after it was done and before that is heard.
type saboteur struct {
	listener net.Listener
	server   string

	mu   sync.Mutex
	rand *rand.Rand
	done map[sabotage]int
	wg   sync.WaitGroup
}

type sabotage int

const (
	none sabotage = iota
	refused
	cutBefore
	cutAfter
)

// oneIn is how many commits there are for each that is sabotaged.
const oneIn = 10

func sabotaged(t *testing.T, address string, seed uint64) (*saboteur, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &saboteur{listener: l, server: u.Host, rand: rand.New(rand.NewPCG(seed, 1)), done: map[sabotage]int{}}
	s.wg.Go(s.accept)
	t.Cleanup(func() {
		l.Close()
		s.wg.Wait()
	})
	u.Host = l.Addr().String()
	return s, u.String()
}

func (s *saboteur) accept() {
	for {
		client, err := s.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", s.server)
		if err != nil {
			client.Close()
			continue
		}
		c := &tapped{saboteur: s, client: client, server: server}
		s.wg.Go(c.forward)
		s.wg.Go(c.back)
	}
}

// draw chooses what happens at a commit.
func (s *saboteur) draw() sabotage {
	s.mu.Lock()
	defer s.mu.Unlock()
	what := none
	if s.rand.IntN(oneIn) == 0 {
		what = sabotage(1 + s.rand.IntN(3))
	}
	s.done[what]++
	return what
}

// tapped is one connection. Both directions are read message by message.
type tapped struct {
	*saboteur
	client, server net.Conn

	mu    sync.Mutex
	plans []sabotage // of the commits that are on their way
}

// forward reads what the client says, and finds the commits by what is prepared.
func (c *tapped) forward() {
	defer c.server.Close()
	defer c.client.Close()
	if err := copyStartup(c.server, c.client); err != nil {
		return
	}
	names := map[string]bool{} // prepared statements that commit
	for {
		kind, body, err := readMessage(c.client)
		if err != nil {
			return
		}
		switch kind {
		case 'P': // Parse: name, text
			name, rest := cString(body)
			text, _ := cString(rest)
			names[name] = text == "COMMIT"
		case 'B': // Bind: portal, name
			_, rest := cString(body)
			if name, _ := cString(rest); names[name] && !c.plan() {
				return
			}
		}
		if err := writeMessage(c.server, kind, body); err != nil {
			return
		}
	}
}

// plan draws for a commit, and tells whether it may go on to the server.
func (c *tapped) plan() bool {
	what := c.draw()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch what {
	case cutBefore:
		return false
	case refused:
		// The server is made to refuse: a statement that fails ends the transaction.
		if err := writeMessage(c.server, 'P', []byte("\x00DO $$ BEGIN RAISE SQLSTATE '40001'; END $$\x00\x00\x00")); err != nil {
			return false
		}
		if err := writeMessage(c.server, 'B', []byte("\x00\x00\x00\x00\x00\x00\x00\x00")); err != nil {
			return false
		}
		if err := writeMessage(c.server, 'E', []byte("\x00\x00\x00\x00\x00")); err != nil {
			return false
		}
	}
	c.plans = append(c.plans, what)
	return true
}

func (c *tapped) back() {
	defer c.server.Close()
	defer c.client.Close()
	for {
		kind, body, err := readMessage(c.server)
		if err != nil {
			return
		}
		if kind == 'C' {
			if tag, _ := cString(body); tag == "COMMIT" && c.next() == cutAfter {
				return
			}
		}
		if err := writeMessage(c.client, kind, body); err != nil {
			return
		}
	}
}

func (c *tapped) next() sabotage {
	c.mu.Lock()
	defer c.mu.Unlock()
	// A commit that was refused is not answered with its tag.
	for len(c.plans) > 0 && c.plans[0] == refused {
		c.plans = c.plans[1:]
	}
	if len(c.plans) == 0 {
		return none
	}
	what := c.plans[0]
	c.plans = c.plans[1:]
	return what
}

// copyStartup passes the first message on, which has no kind.
func copyStartup(to io.Writer, from io.Reader) error {
	var length [4]byte
	if _, err := io.ReadFull(from, length[:]); err != nil {
		return err
	}
	body := make([]byte, binary.BigEndian.Uint32(length[:])-4)
	if _, err := io.ReadFull(from, body); err != nil {
		return err
	}
	_, err := to.Write(append(length[:], body...))
	return err
}

func readMessage(from io.Reader) (kind byte, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n < 4 || n > 1<<26 {
		return 0, nil, fmt.Errorf("a message of %d bytes", n)
	}
	body = make([]byte, n-4)
	_, err = io.ReadFull(from, body)
	return head[0], body, err
}

func writeMessage(to io.Writer, kind byte, body []byte) error {
	m := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)+4))
	_, err := to.Write(append(m, body...))
	return err
}

func cString(b []byte) (string, []byte) {
	for i, c := range b {
		if c == 0 {
			return string(b[:i]), b[i+1:]
		}
	}
	return string(b), nil
}

// TestConformanceUnderSabotage: whatever happens to a commit, each piece of work is done
// once, and whoever is told it is done finds it done.
func TestConformanceUnderSabotage(t *testing.T) {
	t.Parallel()
	for _, version := range pgtest.Versions() {
		t.Run(string(version), func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var all []*saboteur
			t.Run("suite", func(t *testing.T) {
				t.Parallel()
				storetest.Run(t, func(t *testing.T) storetest.Opened {
					server := pgtest.Shared(t, version)
					address := server.URL(migrated(t, server))
					var handles [2]*store.Store
					for i := range handles {
						s, through := sabotaged(t, address, uint64(i)+seedOf(t.Name()))
						mu.Lock()
						all = append(all, s)
						mu.Unlock()
						handles[i] = opened(t, store.Options{URL: through, Connections: few})
					}
					return storetest.Opened{Store: handles[0], Peer: handles[1]}
				})
			})
			t.Cleanup(func() { seen(t, all) })
		})
	}
}

// seen fails the test of the whole suite unless each kind of sabotage happened.
func seen(t *testing.T, all []*saboteur) {
	t.Helper()
	sum := map[sabotage]int{}
	for _, s := range all {
		for what, n := range s.done {
			sum[what] += n
		}
	}
	t.Logf("commits: %d went well, %d were refused, %d cut before and %d after", sum[none], sum[refused], sum[cutBefore], sum[cutAfter])
	for _, what := range []sabotage{refused, cutBefore, cutAfter} {
		if sum[what] == 0 && sum[none] > 500 { // fewer where -run names a few tests
			t.Errorf("sabotage of kind %d never happened", what)
		}
	}
}

func seedOf(name string) (seed uint64) {
	for _, c := range name {
		seed = seed*31 + uint64(c)
	}
	return seed
}
