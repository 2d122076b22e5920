package httpapi

import (
	"net/url"
	"strings"

	"github.com/rollcall-id/rollcall/internal/fault"
)

// form is the parameters of an OAuth request or a query: each has one value, and
// one without a value counts as absent (RFC 6749 section 3.2).
type form map[string]string

const formType = "application/x-www-form-urlencoded"

// OAuth's own words for what is wrong with a request (RFC 6749 section 5.2).
const (
	reasonInvalidRequest       = "invalid_request"
	reasonUnsupportedGrantType = "unsupported_grant_type"
	reasonInvalidScope         = "invalid_scope"
)

// refuse makes an Invalid fault with one of OAuth's words.
func refuse(reason, format string, args ...any) *fault.Fault {
	f := fault.Invalid(format, args...)
	f.Reason = reason
	return f
}

// checkFormType compares the media type in any case and with any parameters.
func checkFormType(contentType string) error {
	mediaType, _, _ := strings.Cut(contentType, ";")
	if strings.EqualFold(strings.TrimSpace(mediaType), formType) {
		return nil
	}
	return refuse(reasonInvalidRequest, "the Content-Type must be %s", formType)
}

// readForm reads form parameters. A broken escape is refused, never half-read, and
// so is a parameter that is there twice.
func readForm(text string) (form, error) {
	f := form{}
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil {
			return nil, refuse(reasonInvalidRequest, "the form holds a broken percent escape")
		}
		if _, twice := f[name]; twice {
			return nil, refuse(reasonInvalidRequest, "a parameter is repeated: each may be sent once")
		}
		f[name] = value
	}
	return f, nil
}
