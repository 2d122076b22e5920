package client_test

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/client"
)

var update = flag.Bool("update", false, "write testdata/wire again")

// wire is a connection maker whose peer writes down every byte that it is sent and
// answers as a Users API does. TLS is left out: what is sealed by it is looked at.
type wire struct {
	transcript bytes.Buffer
	peers      sync.WaitGroup
}

func (w *wire) dial(_ context.Context, _, address string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	w.peers.Go(func() { w.answer(theirs, address) })
	return ours, nil
}

// answer serves one connection, and requests on it one after the other.
func (w *wire) answer(conn net.Conn, address string) {
	defer conn.Close()
	var raw bytes.Buffer
	requests := bufio.NewReader(io.TeeReader(conn, &raw))
	for {
		r, err := http.ReadRequest(requests)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		fmt.Fprintf(&w.transcript, "--- to %s\n%s\n", address, &raw)
		raw.Reset()
		body := `{"id":"IR7VZ4Q2M5ONXGK3TBWLD6YFHE","results":[],"client_secret":"rcs_x"}`
		if strings.HasSuffix(r.URL.Path, "/token") {
			body = `{"access_token":"an-access-token","token_type":"Bearer","expires_in":900,"scope":"openid"}`
		}
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
}

// perform calls every operation, and list in every form that the contract knows.
func perform(ctx context.Context, c *client.Client) error {
	const id = "IR7VZ4Q2M5ONXGK3TBWLD6YFHE"
	calls := []func() error{
		func() error { _, err := c.Users.List(ctx, client.ListOptions{}); return err },
		func() error {
			_, err := c.Users.List(ctx, client.ListOptions{Filter: client.ActiveUsers, PageSize: 100})
			return err
		},
		func() error {
			_, err := c.Users.List(ctx, client.ListOptions{Filter: client.SuspendedUsers})
			return err
		},
		func() error { _, err := c.Users.List(ctx, client.ListOptions{PageToken: "eyJw-YWdl_Mn0"}); return err },
		func() error { _, err := c.Users.Get(ctx, id); return err },
		func() error { _, err := c.Users.Suspend(ctx, id); return err },
		func() error { _, err := c.Users.Reactivate(ctx, id); return err },
		func() error { return c.Close(ctx) },
	}
	for i, call := range calls {
		if err := call(); err != nil {
			return fmt.Errorf("call %d: %w", i, err)
		}
	}
	return nil
}

// TestWire compares every byte of the requests with the transcripts, which were
// written after CONTRACT sections 1, 2, 4 and 6.
func TestWire(t *testing.T) {
	t.Parallel()
	for _, version := range []client.Version{client.V1Beta1, client.V1} {
		for name, place := range map[string]client.Config{
			"com":      {Region: client.RegionCOM},
			"ca":       {Region: client.RegionCA},
			"eu":       {Region: client.RegionEU},
			"rollcall": {BaseURL: "https://rollcall.example.com:8443"},
		} {
			t.Run(fmt.Sprintf("%s-%s", name, version), func(t *testing.T) {
				t.Parallel()
				w := &wire{}
				config := testConfig()
				config.BaseURL, config.Region, config.APIVersion = place.BaseURL, place.Region, version
				transport := &http.Transport{DialTLSContext: w.dial, MaxConnsPerHost: 1}
				config.HTTPClient = &http.Client{Transport: transport}
				c, err := client.New(config)
				if err != nil {
					t.Fatal(err)
				}
				if err := perform(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				transport.CloseIdleConnections()
				w.peers.Wait()
				golden(t, filepath.Join("testdata", "wire", fmt.Sprintf("%s-%s.txt", name, version)), w.transcript.Bytes())
			})
		}
	}
}

// TestWireOfApplications compares with a transcript written after api/openapi.yaml: of v1, whatever version users are
// asked for by.
func TestWireOfApplications(t *testing.T) {
	t.Parallel()
	for _, version := range []client.Version{client.V1Beta1, client.V1} {
		t.Run(string(version), func(t *testing.T) {
			t.Parallel()
			w := &wire{}
			config := testConfig()
			config.BaseURL, config.APIVersion = "https://rollcall.example.com/below", version
			transport := &http.Transport{DialTLSContext: w.dial, MaxConnsPerHost: 1}
			config.HTTPClient = &http.Client{Transport: transport}
			c, err := client.New(config)
			if err != nil {
				t.Fatal(err)
			}
			if err := manage(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			transport.CloseIdleConnections()
			w.peers.Wait()
			_, transcript, _ := strings.Cut(w.transcript.String(), "\n--- ") // the token is looked at elsewhere
			golden(t, filepath.Join("testdata", "wire", "applications.txt"), []byte("--- "+transcript))
		})
	}
}

// manage calls every operation on applications.
func manage(ctx context.Context, c *client.Client) error {
	const id = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
	some := []client.Permission{client.PermissionListUsers, client.PermissionSuspendUser}
	calls := []func() error{
		func() error {
			_, err := c.Applications.List(ctx, client.ApplicationListOptions{PageSize: 5, PageToken: "eyJw"})
			return err
		},
		func() error { _, err := c.Applications.Get(ctx, id); return err },
		func() error {
			_, err := c.Applications.Create(ctx, client.NewApplication{Name: "Alarm <bridge>", Description: "d", RedirectURL: "https://example.com", Permissions: some})
			return err
		},
		func() error {
			_, err := c.Applications.Create(ctx, client.NewApplication{Name: "n", Permissions: some[:1]})
			return err
		},
		func() error {
			_, err := c.Applications.Update(ctx, id, client.ApplicationPatch{Description: new("")})
			return err
		},
		func() error {
			_, err := c.Applications.Update(ctx, id, client.ApplicationPatch{Name: new("n"), Permissions: some})
			return err
		},
		func() error { _, err := c.Applications.RotateSecret(ctx, id, 0); return err },
		func() error { _, err := c.Applications.RotateSecret(ctx, id, 7*24*time.Hour); return err },
		func() error { _, err := c.Applications.Disable(ctx, id); return err },
		func() error { _, err := c.Applications.Enable(ctx, id); return err },
		func() error { _, err := c.Applications.RevokeTokens(ctx, id); return err },
		func() error { return c.Applications.Delete(ctx, id) },
	}
	for i, call := range calls {
		if err := call(); err != nil {
			return fmt.Errorf("call %d: %w", i, err)
		}
	}
	return nil
}

// golden compares with a file, line ends made visible.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	shown := strings.ReplaceAll(string(got), "\r\n", "\\r\\n\n")
	if *update {
		if err := os.WriteFile(file, []byte(shown), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), shown); diff != "" {
		t.Errorf("%s (-want +got)\n%s", file, diff)
	}
}
