package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// route is one page or one act.
type route struct {
	method string // GET answers HEAD too
	path   string // below /console; a segment {name} stands for any one
	name   string // in logs and metrics
	open   bool   // for whoever is not signed in too
	act    func(*Console, context.Context, *visit) (reply, error)
}

// routes lists all there is.
func routes() []route {
	return slices.Concat(doorRoutes, profileRoutes, peopleRoutes, integrationRoutes, recordRoutes)
}

var doorRoutes = []route{
	{"GET", "", "start", false, (*Console).start},
	{"GET", "/sign-in", "sign_in_page", true, (*Console).signInPage},
	{"POST", "/sign-in", "sign_in", true, (*Console).signIn},
	{"POST", "/sign-in/passkey/begin", "sign_in_passkey_begin", true, (*Console).beginPasskeySignIn},
	{"POST", "/sign-in/passkey/finish", "sign_in_passkey", true, (*Console).finishPasskeySignIn},
	{"POST", "/sign-in/sso", "sign_in_sso_begin", true, (*Console).beginSSO},
	{"GET", "/sign-in/sso/callback", "sign_in_sso", true, (*Console).finishSSO},
	{"POST", "/sign-out", "sign_out", false, (*Console).signOut},
	{"GET", "/link/{token}", "link_page", true, (*Console).linkPage},
	{"POST", "/link/{token}", "link", true, (*Console).useLink},
	{"POST", "/theme", "theme", true, (*Console).theme},
}

var profileRoutes = []route{
	{"GET", "/profile", "profile", false, (*Console).profilePage},
	{"POST", "/profile/password", "set_password", false, (*Console).setPassword},
	{"POST", "/profile/passkeys/begin", "add_passkey_begin", false, (*Console).beginPasskey},
	{"POST", "/profile/passkeys/finish", "add_passkey", false, (*Console).finishPasskey},
	{"POST", "/profile/passkeys/{passkey}/remove", "remove_passkey", false, (*Console).removePasskey},
	{"POST", "/profile/sessions/{session}/end", "end_own_session", false, (*Console).endOwnSession},
	{"POST", "/profile/sessions/end-others", "end_other_sessions", false, (*Console).endOtherSessions},
}

var peopleRoutes = []route{
	{"GET", "/people", "people", false, (*Console).peoplePage},
	{"GET", "/people/new", "add_person_page", false, (*Console).addPersonPage},
	{"POST", "/people/new", "add_person", false, (*Console).addPerson},
	{"GET", "/people/suspend", "suspend_people_page", false, (*Console).suspendPeoplePage},
	{"POST", "/people/suspend", "suspend_people", false, (*Console).suspendPeople},
	{"GET", "/people/{user}", "person", false, (*Console).personPage},
	{"GET", "/people/{user}/edit", "edit_person_page", false, (*Console).editPersonPage},
	{"POST", "/people/{user}/edit", "edit_person", false, (*Console).editPerson},
	{"POST", "/people/{user}/groups", "person_groups", false, (*Console).personGroups},
	{"GET", "/people/{user}/suspend", "suspend_person_page", false, (*Console).suspendPersonPage},
	{"POST", "/people/{user}/suspend", "suspend_person", false, (*Console).suspendPerson},
	{"POST", "/people/{user}/reactivate", "reactivate_person", false, (*Console).reactivatePerson},
	{"GET", "/people/{user}/remove", "remove_person_page", false, (*Console).removePersonPage},
	{"POST", "/people/{user}/remove", "remove_person", false, (*Console).removePerson},
	{"POST", "/people/{user}/invite", "invite_person", false, (*Console).invitePerson},
	{"GET", "/people/{user}/reset", "reset_person_page", false, (*Console).resetPersonPage},
	{"POST", "/people/{user}/reset", "reset_person", false, (*Console).resetPerson},
	{"POST", "/people/{user}/sessions/end", "end_sessions", false, (*Console).endSessions},
	{"POST", "/people/{user}/sessions/{session}/end", "end_session", false, (*Console).endSession},
}

var integrationRoutes = []route{
	{"GET", "/integrations", "integrations", false, (*Console).integrationsPage},
	{"GET", "/integrations/new", "add_integration_page", false, (*Console).addIntegrationPage},
	{"POST", "/integrations/new", "add_integration", false, (*Console).addIntegration},
	{"GET", "/integrations/{client}", "integration", false, (*Console).integrationPage},
	{"GET", "/integrations/{client}/edit", "edit_integration_page", false, (*Console).editIntegrationPage},
	{"POST", "/integrations/{client}/edit", "edit_integration", false, (*Console).editIntegration},
	{"POST", "/integrations/{client}/rotate", "rotate_secret", false, (*Console).rotateSecret},
	{"GET", "/integrations/{client}/disable", "disable_integration_page", false, (*Console).disableIntegrationPage},
	{"POST", "/integrations/{client}/disable", "disable_integration", false, (*Console).disableIntegration},
	{"POST", "/integrations/{client}/enable", "enable_integration", false, (*Console).enableIntegration},
	{"GET", "/integrations/{client}/delete", "delete_integration_page", false, (*Console).deleteIntegrationPage},
	{"POST", "/integrations/{client}/delete", "delete_integration", false, (*Console).deleteIntegration},
	{"GET", "/integrations/{client}/revoke", "revoke_tokens_page", false, (*Console).revokeTokensPage},
	{"POST", "/integrations/{client}/revoke", "revoke_tokens", false, (*Console).revokeTokens},
}

var recordRoutes = []route{
	{"GET", "/overview", "overview", false, (*Console).overviewPage},
	{"GET", "/audit", "audit", false, (*Console).auditPage},
	{"GET", "/audit/export", "audit_export", false, (*Console).exportAudit},
	{"POST", "/audit/verify", "audit_verify", false, (*Console).verifyAudit},
	{"GET", "/account", "account", false, (*Console).accountPage},
	{"POST", "/account", "edit_account", false, (*Console).editAccount},
	{"POST", "/account/sso", "set_sso", false, (*Console).setSSO},
	{"GET", "/account/sso/remove", "remove_sso_page", false, (*Console).removeSSOPage},
	{"POST", "/account/sso/remove", "remove_sso", false, (*Console).removeSSO},
}

// find returns the route of a request, its path's values, and the methods that the path
// knows where the request's is not among them.
func (c *Console) find(method, path string) (*route, map[string]string, []string) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	segments := strings.Split(strings.TrimPrefix(path, Root), "/")
	var allow []string
	var best *route
	var values map[string]string
	for i := range c.routes {
		r := &c.routes[i]
		v, ok := r.fits(segments)
		switch {
		case !ok:
		case r.method != method:
			allow = append(allow, r.method)
		case best == nil || len(v) < len(values): // a name beats a value
			best, values = r, v
		}
	}
	return best, values, allow
}

// fits holds a path's segments, still escaped, against the route's.
func (r *route) fits(segments []string) (map[string]string, bool) {
	own := strings.Split(r.path, "/")
	if len(own) != len(segments) {
		return nil, false
	}
	values := map[string]string{}
	for i, s := range own {
		if !strings.HasPrefix(s, "{") {
			if s != segments[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(segments[i])
		if err != nil || value == "" {
			return nil, false
		}
		values[strings.Trim(s, "{}")] = value
	}
	return values, true
}
