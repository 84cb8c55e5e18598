package archive

import (
	"strings"

	"github.com/workinbox/workinbox/provider"
)

// meaning is what the name of a folder or a Gmail label says of the mail in it.
type meaning struct {
	folder provider.Folder
	sent   bool
	unread bool
	system bool // a name the service itself gives, that says nothing else
}

// meanings are the names that mail programs and Gmail use, lower case, in some languages. Gmail
// exports its labels in the language of the account.
var meanings = func() map[string]meaning {
	m := make(map[string]meaning)
	for names, means := range map[string]meaning{
		"sent,sent items,sent mail,sent messages,gesendet,gesendete elemente,messages envoyés," +
			"éléments envoyés,enviados,elementos enviados,posta inviata,inviati,verzonden": {sent: true},
		"draft,drafts,entwürfe,entw&apw-rfe,brouillons,borradores,bozze,concepten," +
			"rascunhos": {folder: provider.FolderDraft},
		"spam,junk,junk e-mail,junk email,junk mail,bulk mail,spamverdacht,indésirables," +
			"ongewenste e-mail": {folder: provider.FolderSpam},
		"trash,bin,deleted,deleted items,deleted messages,papierkorb,gelöschte elemente,corbeille," +
			"papelera,cestino,prullenbak,lixeira": {folder: provider.FolderTrash},
		"chat,chats":                                   {folder: provider.FolderChat},
		"outbox,scheduled,postausgang":                 {folder: provider.FolderOutbox},
		"unread,ungelesen,non lus,no leídos,ongelezen": {unread: true},
		"inbox,archived,opened,important,starred,posteingang,archiviert,geöffnet,wichtig," +
			"markiert": {system: true},
	} {
		for name := range strings.SplitSeq(names, ",") {
			m[name] = means
		}
	}
	return m
}()

func meaningOf(name string) (meaning, bool) {
	m, ok := meanings[strings.ToLower(strings.TrimSpace(name))]
	return m, ok
}

// folderOf tells from the path of a file what kind of folder it lies in: the first name on the way
// down that means something decides. Maildir++ names a folder below another ".Name.Sub".
func folderOf(dir string) meaning {
	for part := range strings.FieldsFuncSeq(dir, func(r rune) bool { return r == '/' || r == '.' }) {
		if m, ok := meaningOf(part); ok && !m.system && !m.unread {
			return m
		}
	}
	return meaning{}
}

// labelsOf reads the labels of Google Takeout. The labels themselves say what they mean; that a
// message was not sent can be told only where one of them shows that their language is known.
func labelsOf(value string) (folder provider.Folder, mark provider.Mark, unread bool) {
	known := false
	for label := range strings.SplitSeq(value, ",") {
		m, ok := meaningOf(strings.Trim(label, `" `))
		if !ok {
			continue
		}
		known = true
		if m.folder != "" {
			folder = m.folder
		}
		if m.sent {
			mark = provider.MarkSent
		}
		unread = unread || m.unread
	}
	if known && mark == provider.MarkUnknown {
		mark = provider.MarkNotSent
	}
	return folder, mark, unread
}
