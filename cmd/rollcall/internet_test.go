package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// internet is an HTTPS proxy behind which every host there is is the same server. Programs reach it by the variable
// HTTPS_PROXY, and trust it by SSL_CERT_FILE: so they can be watched talking to the hosts of the published service, byte
// by byte, without leaving this machine.
type internet struct {
	server    string // the server's base URL
	listener  net.Listener
	authority *x509.Certificate
	key       *ecdsa.PrivateKey
	conns     sync.WaitGroup

	mu         sync.Mutex
	open       map[net.Conn]bool
	transcript []*request
}

// request is one that was sent, and whether its answer was taken.
type request struct {
	text     string
	answered bool
}

// newInternet starts one and writes its authority to a file.
func newInternet(server, authorityFile string) (*internet, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(authorityFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return nil, err
	}
	i := &internet{server: server, key: key, open: map[net.Conn]bool{}}
	if i.authority, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	if i.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	i.conns.Go(i.accept)
	return i, nil
}

// environment makes programs use it.
func (i *internet) environment(authorityFile string) []string {
	return []string{"HTTPS_PROXY=http://" + i.listener.Addr().String(), "SSL_CERT_FILE=" + authorityFile, "CURL_CA_BUNDLE=" + authorityFile}
}

// close ends it with all connections.
func (i *internet) close() {
	i.listener.Close()
	i.mu.Lock()
	for conn := range i.open {
		conn.Close()
	}
	i.mu.Unlock()
	i.conns.Wait()
}

func (i *internet) accept() {
	for {
		conn, err := i.listener.Accept()
		if err != nil {
			return
		}
		i.mu.Lock()
		i.open[conn] = true
		i.mu.Unlock()
		i.conns.Go(func() {
			defer conn.Close()
			_ = i.tunnel(conn) // what breaks it has left a request unanswered, or was no request
		})
	}
}

// tunnel answers a CONNECT, and then as the host that was asked for.
func (i *internet) tunnel(conn net.Conn) error {
	connect, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(connect.Host)
	if err != nil || connect.Method != http.MethodConnect {
		i.note(fmt.Sprintf("--- in clear: %s %s\n", connect.Method, connect.URL))
		return err
	}
	if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return err
	}
	certificate, err := i.certificate(host)
	if err != nil {
		return err
	}
	sealed := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	var raw bytes.Buffer
	requests := bufio.NewReader(io.TeeReader(sealed, &raw))
	for {
		r, err := http.ReadRequest(requests)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		sent := i.note("--- to " + host + "\n" + strings.TrimRight(strings.ReplaceAll(raw.String(), "\r\n", "\n"), "\n") + "\n")
		raw.Reset()
		if err := i.forward(sealed, r, body); err != nil {
			return err
		}
		i.mu.Lock()
		sent.answered = true
		i.mu.Unlock()
	}
}

func (i *internet) certificate(host string) (tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, i.authority, &i.key.PublicKey, i.key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: i.key}, err
}

// forward asks the server and hands its answer on.
func (i *internet) forward(to io.Writer, r *http.Request, body []byte) error {
	again, err := http.NewRequest(r.Method, i.server+r.URL.RequestURI(), bytes.NewReader(body)) //nolint:gosec // G704: a proxy asks for what it is asked
	if err != nil {
		return err
	}
	again.Header = r.Header
	answer, err := http.DefaultTransport.RoundTrip(again)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return answer.Write(to)
}

func (i *internet) note(text string) *request {
	sent := &request{text: text}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.transcript = append(i.transcript, sent)
	return sent
}

// spoken returns all requests so far, and forgets them. One whose answer was not taken before the same was sent again is
// left out: clients give a request up that takes too long, as it may on a busy machine, and repeat it. Any other that
// had no answer stands there.
func (i *internet) spoken() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	var text strings.Builder
	for n, sent := range i.transcript {
		again := n+1 < len(i.transcript) && i.transcript[n+1].text == sent.text
		if sent.answered || !again {
			text.WriteString(sent.text)
		}
	}
	i.transcript = nil
	return text.String()
}

// internets are those of the scripts that run, by their folder.
var internets sync.Map

// internet BASE_URL makes every host of the internet the server there, for the programs of the script.
func startInternet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: internet BASE_URL")
	}
	authority := ts.MkAbs("internet.pem")
	i, err := newInternet(args[0], authority)
	ts.Check(err)
	ts.Defer(i.close)
	internets.Store(ts.Getenv("WORK"), i)
	for _, variable := range i.environment(authority) {
		name, value, _ := strings.Cut(variable, "=")
		ts.Setenv(name, value)
	}
}

var (
	theToken   = regexp.MustCompile(`(Bearer |token=)[\w-]+`)
	theVersion = regexp.MustCompile(`(User-Agent: rollcall)/\S+`)
	theLength  = regexp.MustCompile(`(?m)^Content-Length: \d\d+$`)
)

// spoken FILE writes what has been sent to the internet since the last time; what differs from run to run is masked.
func spoken(ts *testscript.TestScript, neg bool, args []string) {
	found, ok := internets.Load(ts.Getenv("WORK"))
	if neg || len(args) != 1 || !ok {
		ts.Fatalf("usage: spoken FILE, after internet")
	}
	text := theToken.ReplaceAllString(found.(*internet).spoken(), "${1}TOKEN")
	text = theVersion.ReplaceAllString(text, "$1/VERSION")
	text = theLength.ReplaceAllString(text, "Content-Length: LENGTH")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}
