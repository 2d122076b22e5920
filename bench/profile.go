package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/rollcall-id/rollcall/bench/load"
	"github.com/rollcall-id/rollcall/bench/report"
)

// takeProfile runs the one chosen scenario for as long as the server's CPU profile takes, and writes the profile.
func (s *suite) takeProfile(ctx context.Context, d database, c caller) error {
	srv, err := s.serve(ctx, d, report.Plain)
	if err != nil {
		return err
	}
	defer srv.Kill()
	if c, err = c.at(ctx, srv.target); err != nil {
		return err
	}
	m, err := s.subject(ctx, srv, s.connections, s.chosen()[0], c)
	if err != nil {
		return err
	}
	defer m.close()
	profile := make(chan error, 1)
	go func() { profile <- s.fetchProfile(ctx, srv.admin) }()
	for {
		select {
		case err := <-profile:
			if err == nil {
				s.say("wrote %s; look at it with: go tool pprof -top %s", s.profile, s.profile)
			}
			return err
		default:
		}
		if _, err := load.Run(ctx, m.clients, m.perClient, m.script); err != nil {
			return err
		}
	}
}

func (s *suite) fetchProfile(ctx context.Context, admin string) error {
	ctx, cancel := context.WithTimeout(ctx, s.profileLength+oneRequest)
	defer cancel()
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", admin, int(s.profileLength/time.Second))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("profile: GET %s: %s", url, response.Status)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return fmt.Errorf("profile: read: %w", err)
	}
	if err := os.WriteFile(s.profile, text, 0o644); err != nil { //nolint:gosec // G306: a profile holds no secrets
		return fmt.Errorf("write profile: %w", err)
	}
	return nil
}
