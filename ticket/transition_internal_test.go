package ticket

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTransitionTable(t *testing.T) { // R-STA-08
	t.Parallel()
	const def = OnHold // a default that no rule names, so that it shows where it is used
	for _, row := range []struct {
		name   string
		cause  Cause
		from   Status
		locked bool
		to     Status
		fresh  bool
	}{
		{"R-STA-08.1 client, new ticket", CauseCustomer, "", false, def, false},
		{"R-STA-08.2 client, waiting", CauseCustomer, Waiting, false, Active, false},
		{"R-STA-08.2 client, on hold", CauseCustomer, OnHold, false, Active, false},
		{"R-STA-08.2 client, solved", CauseCustomer, Solved, false, Active, false},
		{"R-STA-08.2 client, custom", CauseCustomer, "in-review", false, Active, false},
		{"R-STA-02 client, active", CauseCustomer, Active, false, Active, false},
		{"R-STA-08.3 client, closed", CauseCustomer, Closed, false, Active, false},
		{"R-STA-08.4 client, closed and locked", CauseCustomer, Closed, true, Closed, true},
		{"R-STA-08.4 client, solved and archived", CauseCustomer, Solved, true, Solved, true},
		{"R-STA-08.5 client, spam", CauseCustomer, Spam, false, Spam, false},
		{"R-IMP-09 owner, new ticket", CauseOwnerMail, "", false, Waiting, false},
		{"R-STA-08.6 owner, active", CauseOwnerMail, Active, false, Waiting, false},
		{"R-STA-08.6 owner, on hold", CauseOwnerMail, OnHold, false, Waiting, false},
		{"R-STA-08.6 owner, solved", CauseOwnerMail, Solved, false, Waiting, false},
		{"R-STA-08.6 owner, closed", CauseOwnerMail, Closed, false, Waiting, false},
		{"R-STA-08.6 owner, custom", CauseOwnerMail, "in-review", false, Waiting, false},
		{"R-STA-08.6 owner, locked", CauseOwnerMail, Closed, true, Closed, true},
		{"R-STA-08.9 automated, new ticket", CauseAutomated, "", false, def, false},
		{"R-STA-08.9 automated, waiting", CauseAutomated, Waiting, false, Waiting, false},
		{"R-STA-08.9 automated, solved", CauseAutomated, Solved, false, Solved, false},
		{"R-STA-08.9 automated, closed", CauseAutomated, Closed, false, Closed, false},
		{"R-STA-08.9 automated, spam", CauseAutomated, Spam, false, Spam, false},
		{"R-STA-08.9 automated, custom", CauseAutomated, "in-review", false, "in-review", false},
		{"R-STA-06 automated, archived", CauseAutomated, Closed, true, Closed, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			to, fresh := next(row.cause, row.from, def, row.locked)
			require.Equal(t, row.to, to, "%s on %q: status", row.cause, row.from)
			require.Equal(t, row.fresh, fresh, "%s on %q: a new ticket", row.cause, row.from)
		})
	}
}
