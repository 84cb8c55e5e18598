package ticket

// Cause is what may move a ticket's status by itself (R-STA-08).
type Cause string

// The causes.
const (
	CauseCustomer  Cause = "customer message"
	CauseOwnerMail Cause = "owner replies from mail client"
	CauseAutomated Cause = "auto-reply or bounce"
)

// next is the transition table of R-STA-08 as a pure function. from is empty for a new ticket, def
// is the inbox's default status. fresh says that a new ticket has to be opened instead, and the old
// one stays as it is: mail on a locked or archived ticket.
func next(cause Cause, from, def Status, locked bool) (to Status, fresh bool) {
	if locked {
		return from, true
	}
	switch cause {
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
