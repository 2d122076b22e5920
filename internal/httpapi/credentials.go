package httpapi

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

// authorization returns the credentials of a scheme, whose name is compared without
// regard to case (RFC 9110 section 11.1). sent is false where the request has no
// such credentials: no header, another scheme, or nothing behind the scheme.
func authorization(h http.Header, scheme string) (credentials string, sent bool, err error) {
	headers := h["Authorization"]
	switch len(headers) {
	case 0:
		return "", false, nil
	case 1:
	default:
		return "", true, fault.Unauthenticated("the request has more than one Authorization header")
	}
	name, rest, _ := strings.Cut(headers[0], " ")
	rest = strings.Trim(rest, " ")
	if !strings.EqualFold(name, scheme) || rest == "" {
		return "", false, nil
	}
	return rest, true, nil
}

// readBasic reads the credentials of HTTP Basic in each way clients write them:
// raw first, as curl and most scripts do, then percent-decoded, as RFC 6749 section
// 2.3.1 has it. The first colon separates id from secret before anything is decoded.
func readBasic(encoded string) (oauth.Credentials, error) {
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fault.Unauthenticated("the Basic credentials are not base64")
	}
	id, secret, ok := strings.Cut(string(raw), ":")
	if !ok {
		return nil, fault.Unauthenticated("the Basic credentials hold no colon between client id and client secret")
	}
	creds := oauth.Credentials{{ID: ident.ClientID(id), Secret: secret}}
	decodedID, err1 := url.QueryUnescape(id)
	decodedSecret, err2 := url.QueryUnescape(secret)
	if err1 != nil || err2 != nil || (decodedID == id && decodedSecret == secret) {
		return creds, nil
	}
	return append(creds, oauth.Credential{ID: ident.ClientID(decodedID), Secret: decodedSecret}), nil
}
