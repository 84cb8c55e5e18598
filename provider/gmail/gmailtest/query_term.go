package gmailtest

import "strings"

// term is one operator of the search language.
type term struct {
	// valid says whether the operator understands the value.
	valid func(value string) bool
	match func(l *look, e *expr) bool
}

// terms are the operators by name; "" are plain words.
var terms = map[string]term{
	"":            {hasWords, inText},
	"from":        {hasWords, inAddresses("From")},
	"to":          {hasWords, inAddresses("To", "Cc", "Bcc")}, // every recipient, as in Gmail
	"cc":          {hasWords, inAddresses("Cc")},
	"bcc":         {hasWords, inAddresses("Bcc")},
	"deliveredto": {hasWords, inFields("Delivered-To")},
	"list":        {hasWords, inFields("List-Id", "List-Post", "Mailing-List")},
	"subject":     {hasWords, inFields("Subject")},
	"rfc822msgid": {hasMessageID, isMessageID},
	"label":       {anyValue, hasLabel},
	"category":    {anyValue, inCategory},
	"in":          {anyValue, inPlace},
	"is":          {knownState, isState},
	"has":         {knownFeature, hasFeature},
	"filename":    {hasWords, hasFile},
	"larger":      {isSize, isLarger},
	"smaller":     {isSize, isSmaller},
	"after":       {isMoment, isAfter},
	"before":      {isMoment, isBefore},
	"newer_than":  {isAge, isNewer},
	"older_than":  {isAge, isOlder},
}

// synonyms are other names of operators.
var synonyms = map[string]string{
	"newer": "after", "older": "before", "larger_than": "larger", "smaller_than": "smaller",
	"size": "larger",
}

// canonical is the operator of that name, or "" for none.
func canonical(name string) string {
	name = strings.ToLower(name)
	if s, ok := synonyms[name]; ok {
		return s
	}
	if _, ok := terms[name]; ok {
		return name
	}
	return ""
}

func anyValue(string) bool { return true }

// hasMessageID takes a Message-ID with or without angles.
func hasMessageID(value string) bool { return bareID(value) != "" }

func isMessageID(l *look, e *expr) bool {
	want := bareID(e.value)
	for _, id := range l.m.field("Message-ID") {
		if strings.EqualFold(bareID(id), want) {
			return true
		}
	}
	return false
}

func bareID(id string) string { return strings.Trim(strings.TrimSpace(id), "<>") }

// states of is: with the label they stand for; "" has none here and finds nothing.
var states = map[string]string{
	"unread": "UNREAD", "starred": "STARRED", "important": "IMPORTANT", "chat": "CHAT",
	"sent": "SENT", "draft": "DRAFT", "spam": "SPAM", "trash": "TRASH", "inbox": "INBOX",
	"snoozed": "", "muted": "",
}

func knownState(value string) bool {
	_, ok := states[strings.ToLower(value)]
	return ok || strings.EqualFold(value, "read")
}

func isState(l *look, e *expr) bool {
	if strings.EqualFold(e.value, "read") {
		return !l.m.labels["UNREAD"]
	}
	return l.m.labels[states[strings.ToLower(e.value)]]
}

func knownFeature(value string) bool {
	switch strings.ToLower(value) {
	case "attachment", "userlabels", "nouserlabels":
		return true
	}
	return false
}

func hasFeature(l *look, e *expr) bool {
	if strings.EqualFold(e.value, "attachment") {
		return l.m.hasAttachment()
	}
	own := false
	for id := range l.m.labels {
		own = own || strings.HasPrefix(id, "Label_")
	}
	return own == strings.EqualFold(e.value, "userlabels")
}

func hasFile(l *look, e *expr) bool {
	for _, a := range l.m.attachments() {
		if strings.Contains(spaced(a.Name), e.spaced) {
			return true
		}
	}
	return false
}

// places are names in in: and label: of system labels that are called otherwise there.
var places = map[string]string{
	"sent": "SENT", "inbox": "INBOX", "draft": "DRAFT", "drafts": "DRAFT", "spam": "SPAM",
	"trash": "TRASH", "bin": "TRASH", "chat": "CHAT", "chats": "CHAT", "unread": "UNREAD",
	"starred": "STARRED", "important": "IMPORTANT",
}

func inPlace(l *look, e *expr) bool {
	switch labelKey(e.value) {
	case "anywhere", "all":
		return true
	case "archive":
		for _, id := range []string{"INBOX", "SENT", "DRAFT", "SPAM", "TRASH", "CHAT"} {
			if l.m.labels[id] {
				return false
			}
		}
		return true
	}
	return hasLabel(l, e)
}

// hasLabel takes names and ids of labels.
func hasLabel(l *look, e *expr) bool {
	key := labelKey(e.value)
	if id, ok := places[key]; ok {
		return l.m.labels[id]
	}
	for id := range l.m.labels {
		if labelKey(id) == key {
			return true
		}
	}
	for _, name := range l.m.labelNames() {
		if labelKey(name) == key {
			return true
		}
	}
	return false
}

// labelKey is what label names are compared by: a search writes blanks, slashes and other signs of a
// name as dashes.
func labelKey(name string) string { return strings.Join(words(name), "-") }

func inCategory(l *look, e *expr) bool {
	category := strings.ToUpper(e.value)
	if category == "PRIMARY" {
		category = "PERSONAL"
	}
	return l.m.labels["CATEGORY_"+category]
}
