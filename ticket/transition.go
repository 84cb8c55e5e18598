package ticket

// Cause is what may move a ticket's status by itself (R-STA-08).
type Cause string

// The causes.
const (
	CauseCustomer  Cause = "customer message"
	CauseOwnerMail Cause = "owner replies from mail client"
	CauseAutomated Cause = "auto-reply or bounce"
	CauseTaskDone  Cause = "last task completed"    // R-STA-02
	CauseQuiet     Cause = "no answer for 72 hours" // R-STA-05
)

// next is the transition table of R-STA-08 as a pure function. from is empty for a new ticket, def
// is the inbox's default status. fresh says that a new ticket has to be opened instead, and the old
// one stays as it is: mail on a locked or archived ticket.
func next(cause Cause, from, def Status, locked bool) (to Status, fresh bool) {
	if locked {
		return from, cause != CauseTaskDone && cause != CauseQuiet
	}
	switch cause {
	case CauseTaskDone:
		if from == Spam {
			return Spam, false
		}
		return Active, false
	case CauseQuiet:
		if from == Waiting {
			return Closed, false
		}
		return from, false
	case CauseCustomer:
		switch from {
		case "":
			return def, false
		case Spam:
			return Spam, false
		}
		return Active, false
	case CauseOwnerMail:
		return Waiting, false
	}
	if from == "" {
		return def, false
	}
	return from, false
}
