package rfc822_test

import (
	"fmt"

	"github.com/workinbox/workinbox/provider/rfc822"
)

func ExampleSplitText() {
	body := rfc822.SplitText("Monday suits us.\n\n-- \nAnn\n\n" +
		"On Wed, 4 Mar 2026 at 05:06, Bob <bob@example.org> wrote:\n> When shall we meet?\n")
	fmt.Printf("%q\n%q\n", body.New, body.Signature)
	// Output:
	// "Monday suits us."
	// "-- \nAnn"
}
