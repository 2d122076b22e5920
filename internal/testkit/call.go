package testkit

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Request is a call of the API. Only Path is required.
type Request struct {
	Method string // GET if it is empty
	Path   string // as it goes over the wire, with the query
	Token  string // sent as Authorization: Bearer
	App    Application
	Header http.Header // more headers; they win
	Body   string
}

// Response is an answer, read to its end.
type Response struct {
	Status int
	Header http.Header
	Body   string
}

// Do sends a request through the checking client.
func (s *Server) Do(r Request) Response {
	s.t.Helper()
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	var body io.Reader
	if r.Body != "" {
		body = strings.NewReader(r.Body)
	}
	req, err := http.NewRequest(method, s.BaseURL+r.Path, body) //nolint:noctx // tests end with their server
	if err != nil {
		s.t.Fatalf("testkit: make a request: %v", err)
	}
	if r.Token != "" {
		req.Header.Set("Authorization", "Bearer "+r.Token)
	}
	if r.App.ID != "" {
		req.SetBasicAuth(string(r.App.ID), r.App.Secret)
	}
	for name, values := range r.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatalf("testkit: %s %s: %v", method, r.Path, err)
	}
	text, err := io.ReadAll(resp.Body)
	if err = closing(resp.Body, err); err != nil {
		s.t.Fatalf("testkit: %s %s: read the answer: %v", method, r.Path, err)
	}
	return Response{Status: resp.StatusCode, Header: resp.Header, Body: string(text)}
}

func closing(c io.Closer, err error) error {
	if closeErr := c.Close(); err == nil {
		return closeErr
	}
	return err
}

// Get gets a path with a bearer token.
func (s *Server) Get(token, path string) Response {
	s.t.Helper()
	return s.Do(Request{Path: path, Token: token})
}

// Post posts nothing to a path with a bearer token.
func (s *Server) Post(token, path string) Response {
	s.t.Helper()
	return s.Do(Request{Method: http.MethodPost, Path: path, Token: token})
}

// Form posts a form to a path, authenticated as an application.
func (s *Server) Form(app Application, path string, form url.Values) Response {
	s.t.Helper()
	return s.Do(Request{
		Method: http.MethodPost, Path: path, App: app, Body: form.Encode(),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
	})
}

// Token asks for an access token.
func (s *Server) Token(app Application) string {
	s.t.Helper()
	r := s.Form(app, "/v1/oauth/token", url.Values{"grant_type": {"client_credentials"}})
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	r.decode(s, &answer)
	if r.Status != http.StatusOK || answer.AccessToken == "" {
		s.t.Fatalf("testkit: token: got %d %s", r.Status, r.Body)
	}
	return answer.AccessToken
}

func (r Response) decode(s *Server, v any) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(r.Body), v); err != nil {
		s.t.Fatalf("testkit: the answer is not JSON: %v: %s", err, r.Body)
	}
}

// UserPath returns the path of a person of the first account, under /v1; verb is
// empty or such as ":suspend".
func (s *Server) UserPath(user, verb string) string {
	return "/v1/accounts/" + s.Account + "/users/" + user + verb
}

// ListPath returns the path of the first account's people, under /v1.
func (s *Server) ListPath() string { return "/v1/accounts/" + s.Account + "/users" }
