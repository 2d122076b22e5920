package throttle_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/throttle"
)

func TestDefaultPolicies(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"users":            {"100 requests a minute for this application", "6000 requests an hour for this application"},
		"token":            {"100 token requests a minute for this application", "6000 token requests an hour for this application"},
		"auth_failures":    {"30 authentication failures a minute for this network address"},
		"management_read":  {"60 application reads a minute for this caller", "3600 application reads an hour for this caller"},
		"management_write": {"10 application writes a minute for this caller", "600 application writes an hour for this caller"},
		"sign_in_address":  {"10 failed sign-ins a minute for this network address", "60 failed sign-ins an hour for this network address"},
		"sign_in_person":   {"10 failed sign-ins a minute for this person", "60 failed sign-ins an hour for this person"},
		"sign_in_begin":    {"60 begun sign-ins a minute for this network address"},
		"console":          {"600 pages a minute for this person"},
	}
	got := map[string][]string{}
	for _, p := range throttle.DefaultPolicies() {
		if err := p.Validate(); err != nil {
			t.Error(err)
		}
		for _, l := range p.Limits {
			got[p.Class.String()] = append(got[p.Class.String()], l.String())
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("default policies (-want +got):\n%s", diff)
	}
}

func TestLimitOfOneInWords(t *testing.T) {
	t.Parallel()
	var got []string
	for _, p := range (throttle.Settings{UsersPerMinute: 1, UsersPerHour: 1, AuthFailuresPerMinute: 1, ManagementReadsPerHour: 1}).Policies() {
		for _, l := range p.Limits {
			if l.Max == 1 {
				got = append(got, l.String())
			}
		}
	}
	want := []string{
		"1 request a minute for this application",
		"1 request an hour for this application",
		"1 authentication failure a minute for this network address",
		"1 application read an hour for this caller",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("limits of one (-want +got):\n%s", diff)
	}
}

func TestUnknownClassInWords(t *testing.T) {
	t.Parallel()
	if got := throttle.Class(77).String(); got != "class(77)" {
		t.Errorf("got %q, want class(77)", got)
	}
}

func TestAddressSubject(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"192.0.2.7":               "192.0.2.7",
		"::ffff:192.0.2.7":        "192.0.2.7",
		"::ffff:c000:207":         "192.0.2.7",
		"2001:db8:1:2:3:4:5:6":    "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::":     "2001:db8:1:2::/64",
		"2001:db8:1:3::1":         "2001:db8:1:3::/64",
		"fe80::1%eth0":            "fe80::/64",
		"::1":                     "::/64",
		"2001:0DB8:0001:0002::99": "2001:db8:1:2::/64",
	}
	for text, want := range tests {
		if got := throttle.AddressSubject(netip.MustParseAddr(text)); got != want {
			t.Errorf("AddressSubject(%s) = %q, want %q", text, got, want)
		}
	}
	if got := throttle.AddressSubject(netip.Addr{}); got != "invalid IP" {
		t.Errorf("AddressSubject(none) = %q, want %q", got, "invalid IP")
	}
}
