package page

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/filter"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// A token is, in unpadded base64url (RFC 4648 section 5), integers big-endian:
//
//	version 1 | key id 4 | nonce 12 | sealed: issued 8 | filter 1 | size 2 | create time 8 | user id | tag 16
//
// Issued is in Unix seconds, create time in Unix microseconds. Version, key id and account are authenticated with it.
const (
	version = 1

	headSize  = 1 + 4
	nonceSize = 12
	bodySize  = 8 + 1 + 2 + 8
	tagSize   = 16

	// MaxToken is the longest token in characters that is looked at (contract section 4). The longest we write is 240.
	MaxToken = 512
	// MaxID is the longest user id, in bytes, that a token holds.
	MaxID = 128

	minRaw = headSize + nonceSize + bodySize + 1 + tagSize
	maxRaw = minRaw - 1 + MaxID
)

// encoding refuses set trailing bits; the newlines it skips are looked for by decode.
var encoding = base64.RawURLEncoding.Strict()

// Seal writes the token that lets account go on at c, issued at now, with a nonce read from rand. It fails when rand
// does and on a cursor outside the ranges its fields name, which is a defect of the caller. For more than one token use
// a Keyring, which keeps the cipher.
func Seal(key Key, account ident.AccountID, c Cursor, now time.Time, rand io.Reader) (string, error) {
	s, err := newSealer(key)
	if err != nil {
		return "", err
	}
	return s.seal(account, c, now, rand)
}

// Open reads a token sealed for account under one of keys. Everything that is not exactly such a token, not older than
// Lifetime and not from further in the future than clocks may be apart, is the same fault of kind Invalid; only the
// private cause tells them apart.
func Open(keys *KeySet, account ident.AccountID, token string, now time.Time) (Cursor, error) {
	raw, err := decode(token)
	if err != nil {
		return Cursor{}, err
	}
	s := keys.byID[keyID(raw)]
	if s == nil {
		return Cursor{}, refuse(errUnknownKey)
	}
	return s.open(account, raw, now)
}

var (
	errForm       = errors.New("not in the form of a token")
	errUnknownKey = errors.New("sealed with an unknown key")
	errAltered    = errors.New("altered, or of another account or list")
	errExpired    = errors.New("expired")
	errFuture     = errors.New("issued in the future")
)

func refuse(cause error) error {
	f := fault.Invalid("page_token is not valid or has expired: start the walk again without it")
	f.Cause = cause
	return f
}

func (s *sealer) seal(account ident.AccountID, c Cursor, now time.Time, rand io.Reader) (string, error) {
	if !c.Filter.Valid() || c.Size < 1 || c.Size > MaxSize || len(c.After.ID) < 1 || len(c.After.ID) > MaxID {
		return "", fmt.Errorf("page: seal: filter %v, size %d or an id of %d bytes is out of range", c.Filter, c.Size, len(c.After.ID))
	}
	raw := make([]byte, headSize+nonceSize, maxRaw)
	raw[0] = version
	binary.BigEndian.PutUint32(raw[1:], s.id)
	nonce := raw[headSize:]
	if _, err := io.ReadFull(rand, nonce); err != nil {
		return "", fmt.Errorf("page: seal: read a nonce: %w", err)
	}
	raw = s.aead.Seal(raw, nonce, plaintext(c, now), bind(raw[:headSize], account))
	return encoding.EncodeToString(raw), nil
}

func (s *sealer) open(account ident.AccountID, raw []byte, now time.Time) (Cursor, error) {
	nonce, sealed := raw[headSize:headSize+nonceSize], raw[headSize+nonceSize:]
	body, err := s.aead.Open(sealed[:0], nonce, sealed, bind(raw[:headSize], account))
	if err != nil {
		return Cursor{}, refuse(errAltered)
	}
	age := now.Sub(time.Unix(int64(binary.BigEndian.Uint64(body)), 0))
	switch {
	case age >= Lifetime:
		return Cursor{}, refuse(errExpired)
	case age < -maxSkew:
		return Cursor{}, refuse(errFuture)
	}
	return cursor(body)
}

// List is what a walk goes over. A token opens only for the list it was sealed for.
type List string

// The lists there are.
const (
	Users        List = ""
	Applications List = "oauth-clients"
)

// of joins list and account into what a token is bound to. No account id holds the NUL
// between them (see ident), so that no two pairs give the same.
func (l List) of(account ident.AccountID) ident.AccountID {
	if l == Users {
		return account
	}
	return account + "\x00" + ident.AccountID(l)
}

// bind is the data authenticated with the sealed part; the head has a fixed length, so no two pairs give the same.
func bind(head []byte, account ident.AccountID) []byte {
	return append(append(make([]byte, 0, headSize+ident.MaxGiven), head...), account...)
}

func plaintext(c Cursor, issued time.Time) []byte {
	b := make([]byte, 0, bodySize+MaxID)
	b = binary.BigEndian.AppendUint64(b, uint64(issued.Unix()))
	b = append(b, byte(c.Filter))
	b = binary.BigEndian.AppendUint16(b, uint16(c.Size))
	b = binary.BigEndian.AppendUint64(b, uint64(c.After.CreateTime.UnixMicro()))
	return append(b, c.After.ID...)
}

// cursor reads what plaintext wrote. It checks the ranges again: a newer build may have sealed it during an upgrade.
func cursor(body []byte) (Cursor, error) {
	c := Cursor{
		Filter: filter.Filter(body[8]),
		Size:   int32(binary.BigEndian.Uint16(body[9:])),
		After: Position{
			CreateTime: time.UnixMicro(int64(binary.BigEndian.Uint64(body[11:]))).UTC(),
			ID:         ident.UserID(body[bodySize:]),
		},
	}
	if !c.Filter.Valid() || c.Size < 1 || c.Size > MaxSize {
		return Cursor{}, refuse(errForm)
	}
	return c, nil
}

// decode undoes the text form and checks all that can be checked without a key.
func decode(token string) ([]byte, error) {
	if len(token) > MaxToken || strings.ContainsAny(token, "\r\n") {
		return nil, refuse(errForm)
	}
	raw, err := encoding.DecodeString(token)
	if err != nil || len(raw) < minRaw || raw[0] != version {
		return nil, refuse(errForm)
	}
	return raw, nil
}

func keyID(raw []byte) uint32 { return binary.BigEndian.Uint32(raw[1:headSize]) }

func randomID(rand io.Reader) (uint32, error) {
	var b [4]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return 0, fmt.Errorf("page: read a key id: %w", err)
	}
	return binary.BigEndian.Uint32(b[:]), nil
}
