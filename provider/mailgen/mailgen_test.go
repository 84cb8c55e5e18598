package mailgen_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/mail"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/mailgen"
)

func TestSameSeedMakesTheSameBytes(t *testing.T) {
	t.Parallel()
	sum := func(seed uint64) string {
		h := sha256.New()
		require.NoError(t, mailbox(t, mailgen.Config{Seed: seed, Messages: 300}).WriteMbox(h))
		return hex.EncodeToString(h.Sum(nil))
	}
	require.Equal(t, sum(7), sum(7), "the same seed twice")
	require.NotEqual(t, sum(7), sum(8), "two seeds")
	require.Equal(t, pinned, sum(7), "bytes of seed 7 changed: what was generated before cannot be "+
		"compared any more")
}

func TestDistributionIsAsConfigured(t *testing.T) {
	t.Parallel()
	m := mailbox(t, mailgen.Config{Seed: 1, Messages: 2500})
	c := m.Config()
	var bytes, attached, automated, copies, anomalies, conversed float64
	threads := map[int]bool{}
	for msg := range m.Oldest() {
		bytes += float64(len(msg.Raw))
		attached += one(msg.Attached)
		automated += one(msg.Class == mailgen.Newsletter || msg.Class == mailgen.Notification)
		copies += one(msg.Copy >= 0)
		anomalies += one(msg.Anomaly != mailgen.DateRight)
		if msg.Class == mailgen.Personal && msg.Copy < 0 {
			threads[msg.Thread] = true
			conversed++
		}
		require.False(t, msg.Received.Before(c.Start) || msg.Received.After(c.End),
			"message %d received %v, outside of %v to %v", msg.Index, msg.Received, c.Start, c.End)
	}
	n := float64(m.Len())
	require.EqualValues(t, 2500, n)
	require.InEpsilon(t, c.MeanBytes, bytes/n, 0.08, "mean bytes")
	require.InDelta(t, c.AttachmentShare, attached/n, 0.015, "share with attachments")
	require.InDelta(t, c.AutomatedShare, automated/n, 0.03, "automated share")
	require.InDelta(t, c.DuplicateShare, copies/n, 0.006, "share of copies")
	require.InDelta(t, c.AnomalyShare, anomalies/n, 0.006, "share of wrong dates")
	require.InEpsilon(t, c.ThreadMean, conversed/float64(len(threads)), 0.08, "mean of a conversation")
}

func TestTruthIsInTheBytes(t *testing.T) {
	t.Parallel()
	m := mailbox(t, mailgen.Config{Seed: 3, Messages: 600, MeanBytes: 5000, AttachmentShare: -1, DuplicateShare: 0.05,
		AnomalyShare: 0.1})
	seen := map[mailgen.Class]int{}
	clients := map[mailgen.Client]int{}
	last := time.Time{}
	for msg := range m.Oldest() {
		seen[msg.Class]++
		clients[msg.Client]++
		require.False(t, msg.Received.Before(last), "message %d is older than the one before", msg.Index)
		last = msg.Received
		got, err := mail.ReadMessage(bytes.NewReader(msg.Raw))
		require.NoError(t, err, "message %d", msg.Index)
		h := got.Header
		require.Equal(t, "<"+msg.MessageID+">", h.Get("Message-ID"))
		side := "From"
		if msg.Outbound {
			side = "To"
		}
		list, err := h.AddressList(side)
		require.NoError(t, err, "%s of message %d", side, msg.Index)
		require.Equal(t, msg.Address, list[0].Address)
		if msg.Parent >= 0 {
			require.Equal(t, "<"+m.Truth(msg.Parent).MessageID+">", h.Get("In-Reply-To"))
			require.Equal(t, m.Truth(msg.Parent).Thread, msg.Thread)
		}
		if msg.Copy >= 0 {
			require.Equal(t, m.Truth(msg.Copy).MessageID, msg.MessageID)
			require.NotEqual(t, m.Message(msg.Copy).Raw, msg.Raw, "a copy came another way")
		}
		_, err = h.Date()
		require.Equal(t, msg.Anomaly == mailgen.DateMissing || msg.Anomaly == mailgen.DateGarbage,
			err != nil, "message %d with date anomaly %q: %v", msg.Index, msg.Anomaly, err)
		require.Equal(t, !msg.Outbound, h.Get("Received") != "")
	}
	for _, class := range []mailgen.Class{mailgen.Personal, mailgen.Newsletter, mailgen.Notification,
		mailgen.AutoReply, mailgen.Bounce} {
		require.Positive(t, seen[class], "messages of class %q", class)
	}
	for _, client := range []mailgen.Client{mailgen.Company, mailgen.Customer, mailgen.NoClient,
		mailgen.Internal, mailgen.Excluded} {
		require.Positive(t, clients[client], "messages with client %q", client)
	}
}

func TestTextCompressesLikeMail(t *testing.T) {
	t.Parallel()
	m := mailbox(t, mailgen.Config{Seed: 5, Messages: 300, AttachmentShare: -1, MeanBytes: 6000})
	var plain int64
	var packed bytes.Buffer
	for msg := range m.Newest() {
		require.False(t, msg.Attached)
		plain += int64(len(msg.Raw))
		z := gzip.NewWriter(&packed)
		_, err := z.Write(msg.Raw)
		require.NoError(t, err)
		require.NoError(t, z.Close())
	}
	ratio := float64(plain) / float64(packed.Len())
	require.True(t, ratio > 1.8 && ratio < 5, "each mail packed alone: ratio %.2f, want 1.8 to 5", ratio)
}

func TestMaildirHoldsEveryMessage(t *testing.T) {
	t.Parallel()
	m := mailbox(t, mailgen.Config{Seed: 2, Messages: 50, Start: time.Unix(1e9, 0)})
	dir := t.TempDir()
	require.NoError(t, m.WriteMaildir(dir))
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	require.NoError(t, err)
	sent, err := filepath.Glob(filepath.Join(dir, ".Sent", "cur", "*"))
	require.NoError(t, err)
	inbox, err := filepath.Glob(filepath.Join(dir, "cur", "*"))
	require.NoError(t, err)
	require.Len(t, append(inbox, sent...), 50, "of %d files", len(files))
	raw, err := os.ReadFile(inbox[0])
	require.NoError(t, err)
	require.NotContains(t, string(raw), "\r")
}

func TestFindKnowsItsOwnMessages(t *testing.T) {
	t.Parallel()
	m := mailbox(t, mailgen.Config{Seed: 0xabc, Messages: 40})
	for msg := range m.Oldest() {
		got, err := m.Find(msg.MessageID)
		require.NoError(t, err)
		require.Equal(t, msg.MessageID, got.MessageID)
	}
	for _, id := range []string{"", "x@y", "gabc.41@agency.example", "gabd.1@agency.example"} {
		_, err := m.Find(id)
		require.ErrorIs(t, err, mailgen.ErrNoMessage, "id %q", id)
	}
}

func TestWrongConfigIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []mailgen.Config{
		{Messages: -1}, {ThreadMean: 0.5}, {AttachmentMin: 9, AttachmentMax: 8}, {AutomatedShare: 1.5},
		{Owner: "nobody"}, {Start: time.Unix(9, 0), End: time.Unix(8, 0)},
	} {
		_, err := mailgen.New(c)
		require.Error(t, err, "config %+v", c)
	}
}

func BenchmarkMailbox(b *testing.B) {
	m, err := mailgen.New(mailgen.Config{Seed: 1, Messages: 1000})
	require.NoError(b, err)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		b.SetBytes(int64(len(m.Message(i % 1000).Raw)))
	}
}

func mailbox(t *testing.T, c mailgen.Config) *mailgen.Mailbox {
	t.Helper()
	m, err := mailgen.New(c)
	require.NoError(t, err)
	return m
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// pinned is the hash of the mbox of 300 messages of seed 7.
const pinned = "6a5823b85c1ff7c28db43e435b22dcdf2eb4f67f7fcf29860c7e47e93b8da7ee"
