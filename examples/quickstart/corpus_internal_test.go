package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
)

// The copies of real mail lie with the packages that read them, each with its licence.
const (
	readers  = "../../provider/rfc822/testdata/"
	archives = "../../provider/archive/testdata/"
)

func TestEveryFolderOfRealMail(t *testing.T) {
	t.Parallel()
	for _, folder := range []struct {
		path     string
		messages int // counted by file, and by "From " line in an mbox
		nobody   int // of them without any sender
		skipped  int // of them drafts and in the trash
	}{
		{readers + "mail-parser/rfc", 10, 4, 0},
		{readers + "mail-parser/malformed", 23, 18, 0},
		{readers + "enmime/mail", 42, 1, 0},
		{readers + "enmime/low-quality", 12, 0, 0},
		{readers + "bounces", 272, 23, 0}, // 271 files, one of them an mbox with two
		{readers + "threading", 46, 46, 0},
		{readers + "lists", 317, 0, 0},
		{maildir(t), 6, 3, 3},
	} {
		t.Run(filepath.Base(folder.path), func(t *testing.T) {
			t.Parallel()
			if folder.messages > 42 && testing.Short() {
				t.Skip("-short: the smaller folders show what is not about mail")
			}
			s := tryJSON(t, "-mail", folder.path, "-mode", "all", "-days", "0")
			want := map[filter.Reason]int{}
			if folder.nobody > 0 {
				want[filter.NoSender] = folder.nobody
			}
			if folder.skipped > 0 {
				want[filter.SkippedFolder] = folder.skipped
			}
			require.Equal(t, folder.messages, s.Listed, "mails looked at")
			require.Equal(t, want, s.Rejected, "kept out")
			require.Equal(t, folder.messages-folder.nobody-folder.skipped, s.Stored+s.Known)
			require.Equal(t, s.Stored, s.Messages, "messages of the database")
			require.Zero(t, s.Queued+s.Poisoned+s.Gone)
			require.Equal(t, s.Stored > 0, s.Tickets > 0, "%d stored, %d tickets", s.Stored, s.Tickets)

			if folder.nobody == 0 {
				return
			}
			_, stdout, _ := try(t, "-mail", folder.path, "-mode", "all", "-days", "0")
			_, list, found := strings.Cut(stdout, "Mail without any sender, which stays out:\n")
			list, _, _ = strings.Cut(list, "\n\n")
			require.True(t, found, "a list of the mail without sender: %s", stdout)
			require.Equal(t, folder.nobody, strings.Count(strings.TrimSuffix(list, "\n"), "\n")+1, list)
		})
	}
}

func TestMailWithoutSenderIsNamedByItsFile(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := try(t, "-mail", readers+"enmime/mail", "-days", "0")
	require.Zero(t, code, stderr)
	require.Regexp(t, `Mail without any sender, which stays out:\n  \S+ \S+  erroneous.raw\n`, stdout)
}

// maildir writes the Maildir of the corpus, whose file names not every file system takes.
func maildir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "maildir")
	list, err := os.ReadFile(archives + "maildir/files.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(list)) {
		name, body, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		name = filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.WriteFile(name, []byte(body), 0o600))
	}
	return dir
}

// list is a month of a public list as somebody's own mail.
const list = readers + "lists/maven-dev-2017-11.mbox"

func TestRulesForOwnMail(t *testing.T) {
	t.Parallel()
	none := map[filter.Reason]int{}
	for _, row := range []struct {
		name   string
		args   []string
		stored int
		kept   map[filter.Reason]int
	}{
		{"thirty days before the newest mail", nil, 317, none},
		{"a window of five days", []string{"-as-of", "2017-12-01", "-days", "5"}, 77, none},
		{"what came after -as-of is live mail", []string{"-as-of", "2017-11-15", "-days", "5"}, 231, none},
		{"a client makes it client mode", []string{"-client", "Oracle=oracle.com"}, 3,
			map[filter.Reason]int{filter.NotClientAssociated: 314}},
		{"an exclusion beats mode all", []string{"-exclude", "*.apache.org"}, 230,
			map[filter.Reason]int{filter.Excluded: 87}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := tryJSON(t, append([]string{"-mail", list}, row.args...)...)
			require.Equal(t, row.stored, s.Stored)
			require.Equal(t, row.kept, s.Rejected)
		})
	}
}

func TestWhoseMailItIs(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"-mail", list}, "The mailbox of dev@maven.apache.org, at 2017-11-30 23:09:56.\n"},
		{[]string{"-mail", list, "-me", "a@acme.com", "-me", "b@acme.com", "-as-of", "2017-12-01"},
			"The mailbox of a@acme.com, b@acme.com, at 2017-12-01 00:00:00.\n"},
		{[]string{"-mail", readers + "threading"}, "The mailbox of owner@mailbox.invalid, at "},
	} {
		code, stdout, stderr := try(t, append(row.args, "-preview")...)
		require.Zero(t, code, stderr)
		require.True(t, strings.HasPrefix(stdout, row.want), "%q: got %q, want %q", row.args, stdout, row.want)
	}
}
