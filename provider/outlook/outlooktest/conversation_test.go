package outlooktest_test

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

func TestConversations(t *testing.T) {
	t.Parallel()
	index := base64.StdEncoding.EncodeToString(make([]byte, 22))
	child := base64.StdEncoding.EncodeToString(make([]byte, 27))
	for _, test := range []struct {
		name   string
		config outlooktest.Config
		first  []byte
		second []byte
		same   bool
	}{
		{"strangers", outlooktest.Config{}, mail("a", "Subject: Hi", "Message-ID: <1@x>"), mail("b", "Subject: Hi", "Message-ID: <2@x>"), false},
		{"strangers, merged", outlooktest.Config{MergeSubjects: true}, mail("a", "Subject: Hi", "Message-ID: <1@x>"), mail("b", "Subject: Re: Hi"), true},
		{"in reply to", outlooktest.Config{}, mail("a", "Message-ID: <1@x>"), mail("b", "In-Reply-To: <1@x>"), true},
		{"references", outlooktest.Config{}, mail("a", "Message-ID: <1@x>"), mail("b", "References: <1@x> <unknown@x>"), true},
		{"thread index", outlooktest.Config{}, mail("a", "Thread-Index: "+index), mail("b", "Thread-Index: "+child), true},
		{"broken thread index", outlooktest.Config{}, mail("a", "Thread-Index: "+index), mail("b", "Thread-Index: AAAA"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := open(t, test.config)
			g.a.Deliver(test.first, outlooktest.Delivery{Received: day(1)})
			g.a.Deliver(test.second, outlooktest.Delivery{Received: day(2)})
			m := g.get("/me/messages").items()
			require.Equal(t, test.same, m[0]["conversationId"] == m[1]["conversationId"])
			for _, one := range m {
				require.NotEmpty(t, one["internetMessageId"], "Exchange gives one to mail without")
				b, err := base64.StdEncoding.DecodeString(one["conversationIndex"].(string))
				require.NoError(t, err)
				require.Contains(t, []int{22, 27}, len(b))
			}
		})
	}
}
