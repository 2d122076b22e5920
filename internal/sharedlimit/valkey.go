package sharedlimit

import (
	"context"
	"crypto/sha1" //nolint:gosec // how the server names scripts
	"crypto/x509"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/valkey-io/valkey-go"

	"github.com/rollcall-id/rollcall/internal/throttle"
)

//go:embed spend.lua
var script string

var scriptName = func() string {
	sum := sha1.Sum([]byte(script)) //nolint:gosec // how the server names scripts
	return hex.EncodeToString(sum[:])
}()

// Valkey keeps counts in Valkey, or in Redis from 6.2, alone, with Sentinel or as a
// cluster. Each window of a key is a list that the server forgets by itself when it has
// become empty; see spend.lua.
type Valkey struct {
	options valkey.ClientOption
	prefix  string

	mu     sync.Mutex
	client valkey.Client // nil = not connected yet
	closed bool
}

// ValkeyOptions says which server to ask. URL is required:
//
//	redis://USER@HOST:PORT/DATABASE             also rediss, valkey, valkeys (TLS) and unix
//	redis://HOST:PORT?addr=HOST2:PORT2          more members of a cluster
//	redis://HOST:PORT?master_set=NAME           HOST:PORT is a Sentinel's
type ValkeyOptions struct {
	URL      string
	Password string         // "" = the URL's, if it has one
	Roots    *x509.CertPool // whom TLS believes; nil = whom the system does
	Timeout  time.Duration  // what a round trip may take
}

// CheckValkeyURL returns what is wrong with a URL, without repeating it.
func CheckValkeyURL(url string) error {
	_, err := parseValkey(url)
	return err
}

func parseValkey(url string) (valkey.ClientOption, error) {
	o, err := valkey.ParseURL(url)
	if err != nil {
		return o, errors.New("not the URL of a Valkey or Redis server: give redis://HOST:PORT/DATABASE, or rediss:// for TLS")
	}
	return o, nil
}

// keepLonger is for how long a list stays when all its runs have left: servers count
// expiry by a clock that may have been set meanwhile.
const keepLonger = 2 * time.Second

// Small connections do: one round trip of one replica is under way, of at most some
// thousand short commands.
const connBuffer = 1 << 14

// sentinelRefresh is how often Sentinels are asked who is in charge, should their news be missed.
const sentinelRefresh = 5 * time.Second

// NewValkey makes a store on a server; it connects when it is first asked.
func NewValkey(v ValkeyOptions) (*Valkey, error) {
	o, err := parseValkey(v.URL)
	if err != nil {
		return nil, err
	}
	if v.Password != "" {
		o.Password = v.Password
	}
	if v.Roots != nil && o.TLSConfig != nil {
		o.TLSConfig.RootCAs = v.Roots
	}
	if o.Sentinel.MasterSet != "" {
		o.Sentinel.Username, o.Sentinel.Password, o.Sentinel.TLSConfig = o.Username, o.Password, o.TLSConfig
		o.Sentinel.TopologyRefreshInterval = sentinelRefresh
	}
	o.DisableCache, o.DisableRetry, o.PipelineMultiplex = true, true, -1
	o.RingScaleEachConn, o.ReadBufferEachConn, o.WriteBufferEachConn = 8, connBuffer, connBuffer
	o.Dialer = net.Dialer{Timeout: v.Timeout, KeepAlive: 15 * time.Second}
	o.Sentinel.Dialer = o.Dialer
	o.ConnWriteTimeout = max(v.Timeout, 100*time.Millisecond)
	return &Valkey{options: o, prefix: "rollcall:limits:"}, nil
}

// Spend implements Store. Guards are asked first: they may be another member's of a cluster.
func (v *Valkey) Spend(ctx context.Context, orders []Order) {
	client, err := v.connected()
	if err != nil {
		fail(orders, err)
		return
	}
	var first, then []*Order
	guard := make([]bool, len(orders))
	for i := range orders {
		for _, g := range orders[i].Guards {
			guard[g.Order] = true
		}
	}
	for i := range orders {
		if guard[i] {
			first = append(first, &orders[i])
		} else {
			then = append(then, &orders[i])
		}
	}
	for _, part := range [][]*Order{first, then} {
		for _, o := range part {
			o.Settle(orders)
		}
		v.ask(ctx, client, part)
	}
}

// ask sends orders together.
func (v *Valkey) ask(ctx context.Context, client valkey.Client, orders []*Order) {
	if len(orders) == 0 {
		return
	}
	commands := make(valkey.Commands, len(orders))
	for i, o := range orders {
		keys, args := v.words(o)
		commands[i] = client.B().Evalsha().Sha1(scriptName).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build()
	}
	unknown := false
	for i, answer := range client.DoMulti(ctx, commands...) {
		orders[i].Err = orders[i].read(answer)
		unknown = unknown || isUnknownScript(orders[i].Err)
	}
	if unknown { // the server was started anew
		v.teach(ctx, client, orders)
	}
	for _, o := range orders {
		o.Err = explain(o.Err)
	}
}

// teach sends the script itself for the orders whose server does not know it.
func (v *Valkey) teach(ctx context.Context, client valkey.Client, orders []*Order) {
	var commands valkey.Commands
	var whose []*Order
	for _, o := range orders {
		if isUnknownScript(o.Err) {
			keys, args := v.words(o)
			commands = append(commands, client.B().Eval().Script(script).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build())
			whose = append(whose, o)
		}
	}
	for i, answer := range client.DoMulti(ctx, commands...) {
		whose[i].Err = whose[i].read(answer)
	}
}

// words are the names of the order's lists and the script's arguments. The braces put
// all windows of a key on one member of a cluster.
func (v *Valkey) words(o *Order) (keys, args []string) {
	keys, args = make([]string, o.Meter.Len()), make([]string, 2, 2+4*o.Meter.Len())
	keep := keepLonger
	if o.At != 0 {
		args[0] = strconv.FormatInt(o.At, 10)
		keep = time.Hour // the given clock may go slower than the server's, by which lists expire
	}
	args[1] = strconv.Itoa(o.Counts)
	for i := range keys {
		w := o.Meter.Window(i)
		keys[i] = v.prefix + "{" + o.Key + "}:" + windowName(o.Meter, i)
		args = append(args, strconv.FormatInt(w.Per, 10), strconv.Itoa(w.Max), strconv.FormatInt(w.Grain, 10),
			strconv.FormatInt(w.Per/1000+keep.Milliseconds(), 10))
	}
	return keys, args
}

// read takes the script's answer.
func (o *Order) read(answer valkey.ValkeyResult) error {
	numbers, err := answer.AsIntSlice()
	if err != nil {
		return err
	}
	if len(numbers) != 2*o.Meter.Len() {
		return fmt.Errorf("the script answered with %d numbers, want %d", len(numbers), 2*o.Meter.Len())
	}
	o.Used = o.Used[:0]
	for i := 0; i < len(numbers); i += 2 {
		o.Used = append(o.Used, throttle.Use{Count: int(numbers[i]), Frees: numbers[i+1]})
	}
	return nil
}

func isUnknownScript(err error) bool {
	answer, ok := valkey.IsValkeyErr(err)
	return ok && answer.IsNoScript()
}

// refusals begin errors of the server that waiting does not mend. The client drops "ERR ".
var refusals = []string{"WRONGPASS", "NOAUTH", "NOPERM", "DB index", "invalid DB", "AUTH", "unknown command"}

// explain tells refusals from failures.
func explain(err error) error {
	if err == nil {
		return nil
	}
	if answer, ok := valkey.IsValkeyErr(err); ok {
		for _, begin := range refusals {
			if strings.HasPrefix(strings.TrimPrefix(answer.Error(), "ERR "), begin) {
				return fmt.Errorf("%w: %w", ErrRefused, err)
			}
		}
	}
	return fmt.Errorf("ask the store of limits: %w", err)
}

// connected returns the client, and connects if it has not yet.
func (v *Valkey) connected() (valkey.Client, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.client != nil || v.closed {
		return v.client, v.open()
	}
	client, err := valkey.NewClient(v.options)
	if err != nil {
		return nil, explain(err)
	}
	v.client = client
	return client, nil
}

var errClosed = errors.New("the store of limits is closed")

func (v *Valkey) open() error {
	if v.closed {
		return errClosed
	}
	return nil
}

// Sweep implements Store: the server does it.
func (*Valkey) Sweep(context.Context) error { return nil }

// Close implements Store.
func (v *Valkey) Close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	if v.client != nil {
		v.client.Close()
	}
}
