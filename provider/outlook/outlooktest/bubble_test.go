package outlooktest_test

import (
	"testing"
	"testing/synctest"

	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, c outlooktest.Config, run func(t *testing.T, g graph)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c.Pipe = true
		g := open(t, c)
		defer g.s.Close()
		run(t, g)
	})
}
