package httpapi

import (
	"context"
	"strings"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/internal/server"
)

// baseURL is where clients reach us: as configured, or as this request named it.
func (a *API) baseURL(c *call) string {
	if a.PublicURL != "" {
		return strings.TrimSuffix(a.PublicURL, "/")
	}
	if server.IsSecure(c.request, a.TrustedProxies) {
		return "https://" + c.request.Host
	}
	return "http://" + c.request.Host
}

func (a *API) authorizationServer(_ context.Context, c *call) (reply, error) {
	return answer(api.NewAuthorizationServerMetadata(a.baseURL(c))), nil
}

func (a *API) protectedResource(_ context.Context, c *call) (reply, error) {
	return answer(api.NewProtectedResourceMetadata(a.baseURL(c))), nil
}

func (a *API) openAPI(context.Context, *call) (reply, error) {
	return reply{status: 200, contentType: "application/yaml; charset=utf-8", body: api.OpenAPI()}, nil
}

func (a *API) docs(context.Context, *call) (reply, error) {
	return reply{
		status: 200, contentType: "text/html; charset=utf-8", body: api.DocsHTML(), policy: api.DocsContentSecurityPolicy(),
	}, nil
}
