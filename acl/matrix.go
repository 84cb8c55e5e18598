package acl

// column is a column of the matrix. Each source of rights stands in one; nothing is the column of
// those who have no standing, all of it refused.
type column uint8

const (
	nothing    column = iota
	owner             // OWN: site owner, no grant
	ownerReply        // OWN where c5 holds
	creator           // CRE
	adminReply        // IA+RR
	adminRead         // IA+RO
	replyOnly         // RR
	readOnly          // RO

	teamOwner      // 8.2
	teamSiteAdmin  // 8.2
	teamInboxAdmin // 8.2
	teamMember     // 8.2

	columns
)

// Which columns hold read-and-reply, and which manage the inbox.
const (
	replying = 1<<ownerReply | 1<<creator | 1<<adminReply | 1<<replyOnly |
		1<<teamOwner | 1<<teamSiteAdmin | 1<<teamInboxAdmin | 1<<teamMember
	managing = 1<<owner | 1<<ownerReply | 1<<creator | 1<<adminReply | 1<<adminRead |
		1<<teamOwner | 1<<teamSiteAdmin | 1<<teamInboxAdmin
)

// cell is one field of the matrix: refused, allowed, or allowed under the condition of that name.
type cell uint8

const (
	no cell = iota
	yes
	totals // allowed, cut to totals
	c1
	c2
	c3
	c5 // never in a compiled row: see compile
	c6
	c7
	c8
	c9
	c10
	c11
	c12
	c13
	c14
	cConsent // R-ACL-11: an auto reply has the creator's consent
	cQuota   // R-ROL-04: the half of c6 that team inboxes have too
	cTrash   // R-TKT-05: inbox admin of any team inbox
)

// individual is the matrix of 8.1 in the order OWN, CRE, IA+RR, IA+RO, RR, RO. Site admins and
// agents without a grant stand in no column: all they may do is CreateInbox, which needs none.
var individual = [actions][6]cell{
	SeeInbox:           {yes, yes, yes, yes, yes, yes},
	ViewTickets:        {yes, yes, yes, yes, yes, yes},
	CountInReports:     {yes, yes, yes, yes, yes, yes},
	AddNote:            {yes, yes, yes, yes, yes, yes},
	EditNote:           {c3, c1, c1, c3, c1, c3},
	Redact:             {yes, yes, yes, yes, no, no},
	DeleteOwnNote:      {c3, yes, yes, c3, yes, c3},
	Delete:             {c5, c2, c2, no, c2, no},
	Reply:              {c5, c6, c6, no, c6, no},
	Forward:            {c5, c6, c6, no, c6, no},
	StartTicket:        {c5, c6, c14, no, c14, no},
	EditOptions:        {c5, yes, yes, no, yes, no},
	BeAssignee:         {c5, yes, yes, no, yes, no},
	Merge:              {c5, c13, c13, no, c13, no},
	Split:              {c5, c13, c13, no, c13, no},
	Move:               {c5, c13, c13, no, c13, no},
	Follow:             {yes, yes, yes, yes, yes, yes},
	AddFollower:        {c5, c8, c8, no, c8, no},
	LogTime:            {c5, c9, c9, no, c9, no},
	InsertCanned:       {c5, yes, yes, no, yes, no},
	RunTrigger:         {c12, yes, yes, c12, c10, no},
	ViewTrash:          {yes, yes, yes, yes, no, no},
	Restore:            {yes, yes, yes, yes, no, no},
	Purge:              {c5, c2, c2, no, no, no},
	EditSettings:       {yes, yes, yes, yes, no, no},
	PersonalExclusions: {no, yes, no, no, no, no},
	Widen:              {c11, yes, c11, c11, no, no},
	Share:              {yes, yes, yes, yes, no, no},
	ManageAutomation:   {yes, yes, yes, yes, no, no},
	EnableSending:      {c5, yes, cConsent, no, no, no},
	Connect:            {no, yes, no, no, no, no},
	PauseInbox:         {yes, yes, yes, yes, no, no},
	ResumeInbox:        {yes, yes, yes, yes, no, no},
	DisconnectInbox:    {yes, yes, yes, yes, no, no},
	DeleteInbox:        {yes, yes, yes, yes, no, no},
	MarkPrivate:        {no, yes, no, no, no, no},
	ReadAudit:          {yes, yes, yes, yes, no, no},
	EraseCustomer:      {yes, no, no, no, no, no},
	PreviewRules:       {totals, yes, totals, totals, no, no},
	ExplainMail:        {no, yes, no, no, no, no},
	Backfill:           {no, yes, no, no, no, no},
	ViewRaw:            {yes, yes, yes, yes, yes, no},
	Export:             {yes, yes, yes, yes, no, no},
	ViewHealth:         {yes, yes, yes, yes, no, no},
	Search:             {yes, yes, yes, yes, yes, yes},
	LinkTask:           {c5, yes, yes, no, yes, no},
	SeeCustomer:        {yes, yes, yes, yes, yes, yes},
	ReceiveEvents:      {yes, yes, yes, yes, yes, yes},
}

// The conditions that hold for everybody in a team inbox, by action: they are about the reply
// quota of a part-timer, the other inbox and the other person, not about rights in this one.
var teamConditions = map[Action]cell{
	Reply: cQuota, Forward: cQuota, StartTicket: cQuota,
	Merge: c7, Split: c7, Move: c7, AddFollower: c8,
}

// What a member of a team inbox may do, and what an inbox admin may do besides (8.2).
var (
	memberMay = map[Action]cell{
		SeeInbox: yes, ViewTickets: yes, CountInReports: yes, AddNote: yes, EditNote: c1,
		DeleteOwnNote: c2, Delete: c2, Reply: yes, Forward: yes, StartTicket: yes,
		EditOptions: yes, BeAssignee: yes, Merge: yes, Split: yes, Move: yes, Follow: yes,
		AddFollower: yes, LogTime: yes, InsertCanned: yes, RunTrigger: c10, ViewTrash: cTrash,
		ViewRaw: yes, Search: yes, LinkTask: yes, SeeCustomer: yes, ReceiveEvents: yes,
	}
	teamAdminMay = map[Action]cell{
		Redact: yes, RunTrigger: yes, ViewTrash: yes, Restore: yes, Purge: c2, EditSettings: yes,
		Widen: yes, Share: yes, ManageAutomation: yes, EnableSending: yes, PauseInbox: yes,
		ResumeInbox: yes, DisconnectInbox: yes, ReadAudit: yes, PreviewRules: yes, Export: yes,
		ViewHealth: yes,
	}
)

// matrix holds both kinds of inbox, ready to look up.
var matrix = compile()

func compile() (m [actions][columns]cell) {
	for a := SeeInbox; a < actions; a++ {
		from := individual[a]
		m[a] = [columns]cell{
			owner: from[0], ownerReply: from[0], creator: from[1], adminReply: from[2],
			adminRead: from[3], replyOnly: from[4], readOnly: from[5],
			teamOwner: yes, teamSiteAdmin: yes,
		}
		switch from[0] {
		case c5: // refused, or the cell of an inbox admin who replies, conditions and all
			m[a][owner], m[a][ownerReply] = no, from[2]
		case c12: // binds only those without read-and-reply
			m[a][ownerReply] = yes
		}
		m[a][teamMember], m[a][teamInboxAdmin] = memberMay[a], memberMay[a]
		if more, has := teamAdminMay[a]; has {
			m[a][teamInboxAdmin] = more
		}
		if c, has := teamConditions[a]; has {
			for col := teamOwner; col <= teamMember; col++ {
				m[a][col] = c
			}
		}
	}
	m[EraseCustomer][teamSiteAdmin] = no
	return m
}
