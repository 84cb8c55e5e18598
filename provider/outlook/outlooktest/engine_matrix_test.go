package outlooktest_test

import (
	"flag"
	"testing"

	"github.com/workinbox/workinbox/provider/internal/enginetest"
)

var update = flag.Bool("update", false, "write testdata/matrix.txt anew")

const matrixHead = `What people see when a call to Microsoft Graph goes wrong, and how it ends.

"once" is a fault that hits one call. "lasting" hits every such call for three rounds a minute
apart, then is over. Each column tells the inbox's state, its last error, the mail that waits to be
tried again, or the state of the mail that is sent, as it was after each round, and behind the bar
how it ends when the fault is over. What stands in brackets a person has done; all else the library
does by itself. After every cell each ledger balances, each mail is stored once and in one ticket,
none is missing but what Graph itself called gone, and no mail was sent twice.

Rewritten by: go test -run TestMatrix -update
`

// Every fault, at every call, in every flow.
func TestMatrix(t *testing.T) {
	t.Parallel()
	enginetest.Matrix{File: "testdata/matrix.txt", Head: matrixHead, Flows: flows()}.Run(t, *update)
}
