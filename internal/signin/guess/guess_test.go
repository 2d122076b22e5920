package guess_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/signin/guess"
)

// Powers of ten between which the estimate of a password must be.
var known = map[string][2]float64{
	"":                             {0, 0},
	"password":                     {0.3, 2},
	"drowssap":                     {0.3, 2},
	"p@$$w0rd":                     {0.3, 2},
	"Password":                     {0.3, 2},
	"PASSWORD":                     {0.3, 2},
	"passwordpasswordpassword":     {0.3, 3},
	"Lovelace":                     {0.3, 2},
	"abcdefghijkl":                 {0.3, 3},
	"97531":                        {0.3, 3},
	"qwertyuiop[]":                 {0.3, 4},
	"!QAZ2wsx3edc":                 {3, 8},
	"12.03.1987":                   {3, 6},
	"19870312":                     {3, 6},
	"1987":                         {1, 2},
	"aaaaaaaaaaaaaaaa":             {0.3, 3},
	"xjkQ7xjkQ7":                   {4, 8},
	"correct horse battery staple": {12, 24},
	"kX9#vQ2$pL7w":                 {9, 14},
	"žluťoučký kůň úpěl":           {12, 20},
}

func TestBits(t *testing.T) {
	t.Parallel()
	for password, want := range known {
		if got := guess.Bits(password, []string{"lovelace"}) / math.Log2(10); got < want[0] || got > want[1] {
			t.Errorf("%q withstands 10^%.2f guesses, want 10^%.1f to 10^%.1f", password, got, want[0], want[1])
		}
	}
}

// TestOwnWords: the person's own words are worth next to nothing, and everybody else's are worth what they were.
func TestOwnWords(t *testing.T) {
	t.Parallel()
	const name = "zxkrwbwortel"
	if alone, own := guess.Bits(name, nil), guess.Bits(name, []string{name}); own > 6 || alone < 30 {
		t.Errorf("got %.1f bits where it is the person's word, %.1f where it is not", own, alone)
	}
}

func FuzzBits(f *testing.F) {
	for password := range known {
		f.Add(password, "lovelace")
	}
	f.Add(strings.Repeat("ab", 200), "ab")
	f.Add(strings.Repeat("\xff", 80), "")
	f.Fuzz(func(t *testing.T, password, word string) {
		bits := guess.Bits(password, []string{word})
		n := len([]rune(password))
		if math.IsNaN(bits) || bits < 0 || bits > math.Log2(10)*float64(guess.MaxLength)+1 || (n > 0 && bits == 0) {
			t.Errorf("%q: %v bits", password, bits)
		}
		reversed := []rune(password)
		slices.Reverse(reversed)
		_ = guess.Bits(string(reversed), nil) // must end
	})
}
