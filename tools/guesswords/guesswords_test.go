package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/trustelem/zxcvbn"
	"github.com/trustelem/zxcvbn/frequency"

	"github.com/rollcall-id/rollcall/internal/signin/guess"
)

// TestListIsGenerated: what the program carries is what this command writes.
func TestListIsGenerated(t *testing.T) {
	t.Parallel()
	have, err := os.ReadFile("../../internal/signin/guess/words.bin")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(have, records()) {
		t.Error("internal/signin/guess/words.bin is stale: run make generate")
	}
}

// passwords makes n that people choose: out of common words, in the ways that people think of.
func passwords(n int) []string {
	random := rand.New(rand.NewPCG(1, 2))
	var names []string
	for name := range frequency.FrequencyLists {
		names = append(names, name)
	}
	slices.Sort(names)
	word := func() string {
		list := frequency.FrequencyLists[names[random.IntN(len(names))]]
		return list[int(math.Pow(float64(len(list)), random.Float64()))-1]
	}
	title := func(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
	leet := strings.NewReplacer("a", "@", "e", "3", "o", "0", "i", "1", "s", "$")
	walks := []string{"qwertyuiop", "1qaz2wsx3edc", "zxcvbnm,./", "asdfghjkl;'", "!QAZ@WSX#EDC", "qazwsxedcrfv"}
	var all []string
	for len(all) < n {
		w, v := word(), word()
		for _, p := range []string{
			w + v, w + w, w + w + w, title(w) + title(v) + "!", fmt.Sprint(title(w), 1950+random.IntN(80), "!"), leet.Replace(w + v),
			strings.ToUpper(w) + "123456", w + "12.03.1987", walks[random.IntN(len(walks))] + w, w + "aaaaaa", w + " " + v + " " + word(),
			"abcdefgh" + w, w + "-" + v + "-" + fmt.Sprint(random.IntN(1000)), v + "987654321",
		} {
			if len(p) >= 12 && len(p) <= 40 {
				all = append(all, p)
			}
		}
	}
	return all[:n]
}

// TestAsZxcvbn: guess and zxcvbn agree to two powers of ten on nearly all passwords of the kind that people choose, and
// hardly ever is one taken that zxcvbn finds guessable.
func TestAsZxcvbn(t *testing.T) {
	t.Parallel()
	const enough = 8
	own := []string{"lovelace", "example.com", "rollcall"}
	all := passwords(6000)
	var apart, taken []string
	for _, p := range all {
		theirs, ours := math.Log10(zxcvbn.PasswordStrength(p, own).Guesses), guess.Bits(p, own)/math.Log2(10)
		line := fmt.Sprintf("%s: 10^%.1f here, 10^%.1f there", p, ours, theirs)
		if math.Abs(theirs-ours) > 2 {
			apart = append(apart, line)
		}
		if theirs < enough && ours >= enough {
			taken = append(taken, line)
		}
	}
	if len(apart) > len(all)/100 {
		t.Errorf("%d of %d passwords are more than two powers of ten apart:\n%s", len(apart), len(all), strings.Join(apart, "\n"))
	}
	if len(taken) > len(all)/1000 {
		t.Errorf("%d of %d passwords are taken that zxcvbn finds guessable:\n%s", len(taken), len(all), strings.Join(taken, "\n"))
	}
}
