package storagetest

import "slices"

var inboxChecks = slices.Concat(
	directoryChecks,
	commitChecks,
	twiceChecks,
	queueChecks,
	messageChecks,
	ledgerChecks,
	clientChecks,
	customerChecks,
	outboxChecks,
	valueChecks,
	foreignChecks,
	listChecks,
	raceChecks,
	deleteChecks,
)
