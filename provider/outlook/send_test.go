package outlook_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// outgoing is a mail with a marker; what is added to it stands in its header.
func outgoing(marker, fields, body string) provider.Outgoing {
	raw := []byte("From: owner@own.example\r\nTo: Carla <carla@client.example>\r\nCc: team@client.example\r\n" +
		"Bcc: quiet@own.example\r\nSubject: Offer\r\nMessage-ID: <" + marker + "@own.example>\r\n" +
		provider.MarkerHeader + ": " + marker + "\r\n" + fields + "MIME-Version: 1.0\r\n" + body)
	return provider.Outgoing{Size: int64(len(raw)), Marker: marker,
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }}
}

const plain = "Content-Type: text/plain; charset=utf-8\r\n\r\nDear Carla.\r\n"

// withAttachment is a body with an attachment of that many bytes.
func withAttachment(n int) string {
	return "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" +
		"<p>Dear Carla.</p>\r\n--b\r\nContent-Type: application/pdf; name=offer.pdf\r\n" +
		"Content-Disposition: attachment; filename=offer.pdf\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" +
		strings.Repeat("0123456789abcde\n", n/16) + "\r\n--b--\r\n"
}

func sender(t *testing.T, w *world) (provider.Sender, provider.Finder) {
	m := w.open(t)
	return m.(provider.Sender), m.(provider.Finder)
}

// only is the one mail that went out.
func only(t *testing.T, w *world) (outlooktest.SentMail, *rfc822.Message) {
	t.Helper()
	sent := w.a.Sent()
	require.Len(t, sent, 1)
	mail, err := rfc822.Parse(bytes.NewReader(sent[0].Raw), rfc822.Limits{})
	require.NoError(t, err)
	return sent[0], mail
}

func TestSendKeepsTheMailAsItIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{})
		s, f := sender(t, w)
		sent, err := s.Send(t.Context(), outgoing("m1", "In-Reply-To: <ask@client.example>\r\nReferences: <ask@client.example>\r\n", plain))
		require.NoError(t, err)
		got, mail := only(t, w)
		require.ElementsMatch(t, []string{"carla@client.example", "team@client.example", "quiet@own.example"}, got.To)
		require.Equal(t, "m1@own.example", mail.Envelope.MessageID)
		require.Equal(t, []string{"ask@client.example"}, mail.Envelope.References)
		require.Equal(t, "m1", mail.Header.Get(provider.MarkerHeader))
		require.Empty(t, mail.Envelope.Bcc)
		require.Equal(t, "m1@own.example", sent.MessageID)
		require.Equal(t, got.ID, string(sent.ID))
		found, err := f.Find(t.Context(), "m1", sent.Thread, time.Time{})
		require.NoError(t, err)
		require.Equal(t, sent, found)
	})
}

func TestSendIsFoundWhateverExchangeDoesToIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]outlooktest.Send{
		"another id in Sent Items":     {NewID: true},
		"unknown x- fields dropped":    {LearnX: true},
		"a minute in Drafts":           {Delay: time.Minute},
		"a minute and then another id": {Delay: time.Minute, NewID: true, LearnX: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, outlook.Options{}, outlooktest.Config{Send: c})
				s, f := sender(t, w)
				sent, err := s.Send(t.Context(), outgoing("m1", "", plain))
				require.NoError(t, err)
				if c.Delay > 0 {
					_, err := f.Find(t.Context(), "m1", "", time.Time{})
					require.ErrorIs(t, err, provider.ErrGone, "a draft is not sent")
					time.Sleep(2 * c.Delay)
				}
				found, err := f.Find(t.Context(), "m1", "", time.Time{})
				require.NoError(t, err)
				require.Equal(t, w.a.Sent()[0].ID, string(found.ID))
				require.Equal(t, sent.MessageID, found.MessageID)
				if sent.ID != "" {
					require.Equal(t, sent.ID, found.ID)
				}
			})
		})
	}
}

// Sent mail that its author files away is no forgery.
func TestSentMailThatIsFiledAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{})
		m := w.open(t)
		first := follow(t.Context(), m, "", provider.Walk{})
		require.NoError(t, first.err)
		sent, err := m.(provider.Sender).Send(t.Context(), outgoing("m1", "", plain))
		require.NoError(t, err)
		got := w.next(t, first.last)
		require.Equal(t, provider.MarkSent, got.put[string(sent.ID)].Sent)
		w.a.Move(string(sent.ID), w.a.AddFolder("inbox", "Clients"))
		got = w.next(t, got.last)
		require.Equal(t, provider.MarkUnknown, got.put[string(sent.ID)].Sent)
	})
}

func TestSendLargeMailInParts(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"attachment in one request": 2_990_000, "upload session": 9 << 20} {
		for _, reply := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", reply ", reply), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, outlook.Options{}, outlooktest.Config{})
					fields := ""
					if reply {
						w.a.Deliver([]byte("From: carla@client.example\r\nTo: owner@own.example\r\nSubject: Offer\r\n"+
							"Message-ID: <ask@client.example>\r\n\r\nPlease.\r\n"), outlooktest.Delivery{})
						fields = "In-Reply-To: <ask@client.example>\r\nReferences: <ask@client.example>\r\n"
					}
					s, f := sender(t, w)
					out := outgoing("big", fields, withAttachment(size))
					sent, err := s.Send(t.Context(), out)
					require.NoError(t, err)
					got, mail := only(t, w)
					require.ElementsMatch(t, []string{"carla@client.example", "team@client.example", "quiet@own.example"}, got.To)
					require.Contains(t, mail.HTML, "Dear Carla.")
					require.Equal(t, "Offer", mail.Envelope.Subject)
					require.Len(t, mail.Parts, 1)
					require.Equal(t, "offer.pdf", mail.Parts[0].Name)
					require.EqualValues(t, size/16*16, mail.Parts[0].Size)
					require.Equal(t, "big", mail.Header.Get(provider.MarkerHeader))
					if reply {
						require.Equal(t, []string{"ask@client.example"}, mail.Envelope.References)
					}
					found, err := f.Find(t.Context(), "big", "", time.Time{})
					require.NoError(t, err)
					require.Equal(t, sent, found)
					require.Equal(t, "big@own.example", sent.MessageID)
					require.Equal(t, "big@own.example", mail.Envelope.MessageID)
				})
			})
		}
	}
}

func TestUploadsOutliveLostAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{})
		s, _ := sender(t, w)
		w.s.Fail(outlooktest.Fault{Method: "uploadSession.put", Skip: 1, Times: 1, Break: outlooktest.CloseServed})
		w.s.Fail(outlooktest.Fault{Method: "uploadSession.put", Times: 1, Reply: outlooktest.Unavailable()})
		_, err := s.Send(t.Context(), outgoing("big", "", withAttachment(9<<20)))
		require.NoError(t, err)
		_, mail := only(t, w)
		require.EqualValues(t, 9<<20, mail.Parts[0].Size)
	})
}

// A session that is gone may have ended before the last range came: what it was for must not be sent.
func TestUploadSessionThatIsGoneSendsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{})
		s, _ := sender(t, w)
		w.s.Fail(outlooktest.Fault{Method: "uploadSession.put", Skip: 2, Times: 1, Reply: outlooktest.Unavailable()})
		w.s.Fail(outlooktest.Fault{Method: "uploadSession.put", Skip: 2, Times: -1, Reply: outlooktest.NotFound()})
		out := outgoing("big", "", withAttachment(9<<20))
		_, err := s.Send(t.Context(), out)
		require.ErrorIs(t, err, provider.ErrRetry)
		require.Empty(t, w.a.Sent())
		w.s.Heal()
		_, err = s.Send(t.Context(), out)
		require.NoError(t, err)
		_, mail := only(t, w)
		require.EqualValues(t, 9<<20, mail.Parts[0].Size)
	})
}

// A session that ended with the last range, whose answer was lost, is no reason to upload all of it again:
// the draft says that it is there, once and whole.
func TestUploadWhoseLastAnswerIsLostIsThere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{})
		s, _ := sender(t, w)
		w.s.Fail(outlooktest.Fault{Method: "uploadSession.put", Skip: 2, Times: 1, Break: outlooktest.CloseServed})
		_, err := s.Send(t.Context(), outgoing("big", "", withAttachment(9<<20)))
		require.NoError(t, err)
		_, mail := only(t, w)
		require.Len(t, mail.Parts, 1)
		require.EqualValues(t, 9<<20, mail.Parts[0].Size)
		require.Equal(t, 1, w.s.Stats().Requests["attachments.createUploadSession"])
		require.Equal(t, 1, w.s.Stats().Requests["attachments.list"])
		time.Sleep(time.Second) // the server lingers where it did not read a range to the end
	})
}

// What becomes of a send, by what the service answers to its last call.
func TestSendOutcomes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		fault outlooktest.Fault
		want  error // nil: sent
		mails int
	}{
		{"accepted", outlooktest.Fault{Skip: 99}, nil, 1},
		{"refused for too many calls", outlooktest.Fault{Times: 2, Reply: outlooktest.Throttled()}, nil, 1},
		{"504 before", outlooktest.Fault{Times: 1, Reply: outlooktest.Page(504)}, provider.ErrAmbiguous, 0},
		{"500", outlooktest.Fault{Times: 1, Reply: outlooktest.Bare(500)}, provider.ErrAmbiguous, 0},
		{"503", outlooktest.Fault{Times: 1, Reply: outlooktest.Unavailable()}, provider.ErrAmbiguous, 0},
		{"200 in the place of 202", outlooktest.Fault{Times: 1, Reply: outlooktest.Blank(200)}, provider.ErrAmbiguous, 0},
		{"answer lost", outlooktest.Fault{Times: 1, Break: outlooktest.CloseServed}, provider.ErrAmbiguous, 1},
		{"connection cut before", outlooktest.Fault{Times: 1, Break: outlooktest.CloseUnserved}, provider.ErrAmbiguous, 0},
		{"token refused once", outlooktest.Fault{Times: 1, Reply: outlooktest.InvalidToken()}, nil, 1},
		{"no such draft", outlooktest.Fault{Times: 1, Reply: outlooktest.NotFound()}, errAny, 0},
		{"bad request", outlooktest.Fault{Times: 1, Reply: outlooktest.NoMessage(400, "ErrorInvalidRecipients")}, errAny, 0},
	} {
		for _, once := range []bool{false, true} {
			t.Run(fmt.Sprint(row.name, ", at once ", once), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, outlook.Options{SendAtOnce: once}, outlooktest.Config{})
					s, f := sender(t, w)
					fault := row.fault
					fault.Match = func(r *http.Request) bool {
						return strings.HasSuffix(r.URL.Path, "/send") || strings.HasSuffix(r.URL.Path, "/sendMail")
					}
					w.s.Fail(fault)
					_, err := s.Send(t.Context(), outgoing("m1", "", plain))
					switch {
					case row.want == nil:
						require.NoError(t, err)
					case errors.Is(row.want, errAny):
						require.Error(t, err)
						for _, not := range []error{provider.ErrAmbiguous, provider.ErrGone, provider.ErrAuth} {
							require.NotErrorIs(t, err, not)
						}
					default:
						require.ErrorIs(t, err, row.want)
					}
					require.Len(t, w.a.Sent(), row.mails)
					_, err = f.Find(t.Context(), "m1", "", noon.Add(-time.Hour))
					if row.mails == 1 {
						require.NoError(t, err)
					} else {
						require.ErrorIs(t, err, provider.ErrGone)
					}
				})
			})
		}
	}
}

// errAny stands for an error that is none of the decisions.
var errAny = errors.New("any")

func TestARefusedSendLeavesNoDraft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{})
		s, _ := sender(t, w)
		out := outgoing("m1", "", plain)
		raw, err := out.Open()
		require.NoError(t, err)
		b, err := io.ReadAll(raw)
		require.NoError(t, err)
		b = bytes.Replace(b, []byte("owner@own.example"), []byte("other@own.example"), 1)
		out.Open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
		_, err = s.Send(t.Context(), out)
		require.ErrorContains(t, err, "ErrorSendAsDenied")
		require.NotContains(t, err.Error(), "other@own.example")
		for _, m := range w.a.Messages() {
			require.NotEqual(t, "drafts", m.Folder)
		}
	})
}

func TestSendRefusesWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{SendAtOnce: true}, outlooktest.Config{})
		s, _ := sender(t, w)
		_, err := s.Send(t.Context(), outgoing("big", "", withAttachment(4<<20)))
		require.ErrorContains(t, err, "larger than")
		short := outgoing("short", "", plain)
		short.Size++
		_, err = s.Send(t.Context(), short)
		require.ErrorContains(t, err, "another size")
		require.Empty(t, w.a.Sent())

		w = newWorld(t, outlook.Options{ReadOnly: true}, outlooktest.Config{})
		s, _ = sender(t, w)
		_, err = s.Send(t.Context(), outgoing("m1", "", plain))
		require.ErrorIs(t, err, errors.ErrUnsupported)
	})
}
