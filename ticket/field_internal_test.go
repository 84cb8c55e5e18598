package ticket

import (
	"slices"
	"testing"
	"unicode/utf8"
)

// What a field keeps it takes again and keeps as it is, and it is fit for every store.
func FuzzFieldRead(f *testing.F) {
	for _, v := range []string{"", " ", "A-1", "a\nb", "+007.50", "-0", "-0.10", "2026-03-31", "2026-02-30", "small", "\xff\x00", "1.", "é"} {
		f.Add(v, v)
	}
	choices := []Label{{Code: "small"}, {Code: "big"}, {Code: "gone", Retired: true}}
	kinds := []FieldKind{FieldText, FieldTextarea, FieldNumber, FieldDate, FieldDropdown, FieldCheckboxes}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, kind := range kinds {
			field := Field{Kind: kind}
			if kind.chooses() {
				field.Choices = choices
			}
			for _, values := range [][]string{{a}, {a, b}} {
				kept, why := field.read(values, nil)
				if why != "" {
					if kept != nil {
						t.Fatalf("%s %q: kept %q although it %s", kind, values, kept, why)
					}
					continue
				}
				again, why := field.read(kept, nil)
				if why != "" || !slices.Equal(kept, again) {
					t.Fatalf("%s %q: kept %q, read again %q (%s)", kind, values, kept, again, why)
				}
				for _, v := range kept {
					if !utf8.ValidString(v) || slices.Contains([]byte(v), 0) {
						t.Fatalf("%s %q: kept %q, which no store takes", kind, values, v)
					}
				}
			}
		}
	})
}
