package signin //nolint:testpackage // the estimate itself is compared, not only where it crosses the bound

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/trustelem/zxcvbn"
)

// guessedWords are what is known of a person, as ValidatePassword gives it.
var guessedWords = []string{"ada", "lovelace", "ada.lovelace@example.com", "analytical", "rollcall"}

// atMostLikeTheLibrary: package zxcvbn's own search, which looks for less, never finds a password easier to guess.
func atMostLikeTheLibrary(t *testing.T, password string) (same bool) {
	t.Helper()
	got, want := guesses(password, guessedWords), zxcvbn.PasswordStrength(password, guessedWords).Guesses
	if got > want*1.000001 {
		t.Errorf("%q takes %g guesses, and by the library %g", password, got, want)
	}
	return got > want*0.999999
}

// TestGuessesLikeTheLibrary compares passwords made of what people make passwords of.
func TestGuessesLikeTheLibrary(t *testing.T) {
	t.Parallel()
	parts := []string{
		"password", "Correct", "horse", "battery", "STAPLE", "lovelace", "Ada", "drow", "ssap", "p4ssw0rd", "p@$$word", "s3cr37", "1oveyou", "7rustno1",
		"qwerty", "zxcvbn", "QWErty", "!QAZ", "159", "7410", "abc", "cba", "13579", "xyz", "aaaa", "abab", "nono", "1991", "2004", "1.1.91", "31/12/1999",
		"11-22-2013", "111504", "1191", "20150604", " ", "-", "_", "!", "7", "Xq", "vbk", "zäh", "jg", "0ct", "|ight", "<at", "9ate", "8oat",
	}
	random := rand.New(rand.NewPCG(5, 27))
	same, all := 0, 400
	for range all {
		var b strings.Builder
		for range 1 + random.IntN(4) {
			b.WriteString(parts[random.IntN(len(parts))])
		}
		if strings.ContainsRune(b.String(), 'ä') { // the library counts bytes: only that nothing fails
			_ = guesses(b.String(), guessedWords)
			same++
		} else if atMostLikeTheLibrary(t, b.String()) {
			same++
		}
	}
	if same < all*9/10 {
		t.Errorf("%d of %d are as hard as by the library", same, all)
	}
}

// TestGuessedEasily: what the library does not look for.
func TestGuessedEasily(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"zoëbrontë", "ëtnorbëoz", "Zoëbrontë2025", "zoëbrontëzoëbrontë"} {
		if got := guesses(password, []string{"zoëbrontë"}); got > 1e6 {
			t.Errorf("%q takes %g guesses of who knows the name", password, got)
		}
	}
	if got := guesses("", nil); got != 1 {
		t.Errorf("the empty password takes %g guesses, want 1", got)
	}
}

func FuzzGuesses(f *testing.F) {
	for _, password := range []string{"", "a", "correct horse battery staple", "tr0ub4dor&3", "31.12.1999", "žluťoučký kůň", "4831057|@$!", "\xff"} {
		f.Add(password)
	}
	f.Fuzz(func(t *testing.T, password string) {
		if len(password) > guessedPart {
			return
		}
		if got := guesses(password, guessedWords); got < 1 {
			t.Errorf("%q takes %g guesses", password, got)
		}
	})
}
