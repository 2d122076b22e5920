package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"
)

// Target is where requests go.
type Target struct {
	Address string      // host:port
	TLS     *tls.Config // nil for plain HTTP; offers HTTP/1.1 only
}

// Client is one keep-alive connection. It is not for concurrent use, save for Close.
type Client struct {
	conn net.Conn
	read *bufio.Reader
	wire []byte // the request being sent
	body []byte // the last answer's, kept for its capacity
}

// Dial opens one connection and, where the target asks for it, completes the TLS handshake.
func Dial(ctx context.Context, target Target) (*Client, error) {
	conn, err := dial(ctx, target)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", target.Address, err)
	}
	return &Client{conn: conn, read: bufio.NewReaderSize(conn, maxHead)}, nil
}

func dial(ctx context.Context, target Target) (net.Conn, error) {
	if target.TLS == nil {
		return new(net.Dialer).DialContext(ctx, "tcp", target.Address)
	}
	return (&tls.Dialer{Config: target.TLS}).DialContext(ctx, "tcp", target.Address)
}

// DialAll opens n connections, or none.
func DialAll(ctx context.Context, target Target, n int) ([]*Client, error) {
	clients := make([]*Client, 0, n)
	for range n {
		client, err := Dial(ctx, target)
		if err != nil {
			CloseAll(clients)
			return nil, err
		}
		clients = append(clients, client)
	}
	return clients, nil
}

// CloseAll closes every connection.
func CloseAll(clients []*Client) {
	for _, c := range clients {
		c.Close()
	}
}

// Close closes the connection; a request under way fails. Closing twice is harmless.
func (c *Client) Close() {
	_ = c.conn.Close() // nothing is lost with a connection whose answers were all read
}

// Do sends one request, given as the bytes of the message, and returns its answer, within the timeout.
func (c *Client) Do(wire []byte, timeout time.Duration) (Answer, error) {
	if err := c.conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return Answer{}, fmt.Errorf("set deadline: %w", err)
	}
	return c.exchange(wire)
}

func (c *Client) exchange(wire []byte) (Answer, error) {
	if _, err := c.conn.Write(wire); err != nil {
		return Answer{}, fmt.Errorf("send request: %w", err)
	}
	answer, err := readAnswer(c.read, c.body)
	if err != nil {
		return Answer{}, err
	}
	c.body = answer.Body
	return answer, nil
}
