package rfc822_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// empty are the samples whose authors wrote no text and no part into them.
var empty = map[string]bool{"header-only.raw": true}

func TestParseFindsSomethingReadableInEveryBrokenMessage(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t, "enmime/mail/*.raw", "enmime/low-quality/*.raw") {
		m := parse(t, s.raw)
		require.False(t, m.Unreadable, s.name)
		require.Empty(t, badString(m), s.name)
		if empty[s.name] {
			require.Empty(t, m.Parts, s.name)
			continue
		}
		require.True(t, strings.TrimSpace(m.Text) != "" || len(m.Parts) > 0, "%s: nothing readable", s.name)
	}
}

// TestParseSalvages goes through the kinds of damage that real mail has.
func TestParseSalvages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file    string
		subject string
		text    string // contained in the text
		parts   []string
		damage  []rfc822.Damage
	}{
		{"low-quality/bad-header-start.raw", "plain text", "A text section", nil, nil},
		{"low-quality/bad-header-wrap.raw", "Attachment", "A text section",
			[]string{"7DDA4_foo_9E5D72.zip"}, []rfc822.Damage{rfc822.DamageHeaderLine}},
		{"low-quality/bad-final-boundary.raw", "Attachment", "A text section", []string{"foo_9E5D72.zip"},
			[]rfc822.Damage{rfc822.DamageTruncated}},
		{"low-quality/unk-encoding-part.raw", "Attachment", "A text section", []string{"foo_9E5D72.zip"},
			[]rfc822.Damage{rfc822.DamageEncoding}},
		{"low-quality/malformed-base64-attach.raw", "Attachment", "A text section", []string{"some.doc"},
			[]rfc822.Damage{rfc822.DamageEncoding}},
		{"mail/multipart-wo-boundary.raw", "Delivery Status Notification (Failure)", "without boundary", nil,
			[]rfc822.Damage{rfc822.DamageBoundary}},
		{"mail/erroneous.raw", "", "Not an RFC-822 Document", nil,
			[]rfc822.Damage{rfc822.DamageHeaderLine, rfc822.DamageNoHeader}},
		{"mail/mime-bad-8bit-filename.raw", "Malformed test", "Text part", []string{"管理.doc"}, nil},
		{"mail/header-only.raw", "Attachment", "", nil, []rfc822.Damage{rfc822.DamageBoundary}},
		{"mail/attachment-only-no-disposition.raw", "", "", []string{"favicon.jpg"}, nil},
	} {
		m := parse(t, samples(t, "enmime/"+c.file)[0].raw)
		require.Contains(t, m.Envelope.Subject, c.subject, c.file)
		require.Contains(t, m.Text, c.text, c.file)
		var names []string
		for _, p := range m.Parts {
			names = append(names, p.Name)
		}
		require.Equal(t, c.parts, names, "%s: parts", c.file)
		require.Equal(t, c.damage, m.Damage, "%s: damage", c.file)
	}
}
