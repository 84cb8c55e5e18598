package archive

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// dir reads a folder and what is below it.
func (s *scanner) dir(name string) error {
	entries, err := os.ReadDir(s.a.file(source{name: name}))
	if err != nil {
		if name == "" {
			return unavailable(err)
		}
		s.keepBelow(name, err)
		return nil
	}
	if isMaildir(name, entries) {
		return s.maildir(name, entries)
	}
	var undecided []fs.FileInfo
	extensions := make(map[string]int) // mail with it, less other files with it
	for _, d := range entries {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		at := path.Join(name, d.Name())
		info, why := s.stat(at, d)
		switch {
		case why != "":
			s.skip(at, why)
		case info == nil:
		case info.IsDir():
			err = s.dir(at)
		default:
			var mail, decided bool
			mail, decided, err = s.entry(at, info)
			if ext := extension(at); decided && mail {
				extensions[ext]++
			} else if !decided {
				extensions[ext]--
				undecided = append(undecided, info)
			}
		}
		if err != nil {
			return err
		}
	}
	for _, info := range undecided {
		at := path.Join(name, info.Name())
		if ext := extension(at); ext == "" || extensions[ext] < 0 {
			s.skip(at, skipOther)
		} else if err := s.asMessage(at, info); err != nil {
			return err
		}
	}
	return nil
}

// stat follows links to files, and says why an entry of a folder is left out. Where it cannot tell
// it has noted the entry itself and returns nothing.
func (s *scanner) stat(at string, d fs.DirEntry) (info fs.FileInfo, why string) {
	hidden := strings.HasPrefix(d.Name(), ".")
	if hidden && !(d.IsDir() && s.maildirAt(at)) {
		return nil, skipHidden
	}
	info, err := d.Info()
	if d.Type()&fs.ModeSymlink != 0 {
		if info, err = os.Stat(s.a.file(source{name: at})); err == nil && info.IsDir() {
			return nil, skipLink
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && d.Type()&fs.ModeSymlink == 0:
		return nil, skipGone
	case err != nil:
		s.unread(at, err)
		return nil, ""
	case !info.IsDir() && !info.Mode().IsRegular():
		return nil, skipSpecial
	default:
		return info, ""
	}
}

// entry reads one file. It is not decided when its content tells nothing.
func (s *scanner) entry(at string, info fs.FileInfo) (mail, decided bool, err error) {
	if i, ok := s.byName[at]; ok && s.same(i, info) {
		s.takeOver(i)
		return true, true, nil
	}
	what, f, err := s.open(at)
	if err != nil {
		s.unread(at, err)
		return false, true, nil
	}
	defer f.Close()
	switch {
	case what == looksMbox:
		s.changed = true
		return true, true, s.mbox(f, source{name: at, kind: fileMbox, size: info.Size(),
			mtime: info.ModTime().UnixNano()})
	case what == looksMessage, extension(at) == ".eml":
		s.changed = true
		return true, true, s.message(f, at, info)
	case what == looksEmpty:
		s.skip(at, skipEmpty)
		return false, true, nil
	default:
		return false, false, nil
	}
}

// asMessage reads a file as a message whatever is in it.
func (s *scanner) asMessage(at string, info fs.FileInfo) error {
	s.changed = true
	_, f, err := s.open(at)
	if err != nil {
		s.unread(at, err)
		return nil
	}
	defer f.Close()
	return s.message(f, at, info)
}

// keepBelow takes over all files below a folder that cannot be read now.
func (s *scanner) keepBelow(name string, err error) {
	kept := false
	for i := 0; s.old != nil && i < len(s.old.sources); i++ {
		if src := s.old.sources[i]; src.skip == "" && strings.HasPrefix(src.name, name+"/") {
			s.takeOver(int32(i))
			kept = true
		}
	}
	if !kept {
		s.skip(name, skipRead+bare(err).Error())
	}
}

// maildir reads the messages of a Maildir, and the folders below it.
func (s *scanner) maildir(name string, entries []fs.DirEntry) error {
	for _, d := range entries {
		at := path.Join(name, d.Name())
		var err error
		switch {
		case !d.IsDir():
			s.skip(at, skipOutside)
		case d.Name() == "cur" || d.Name() == "new":
			err = s.delivered(name, at)
		case d.Name() == "tmp":
		case strings.HasPrefix(d.Name(), ".") && !s.maildirAt(at):
			s.skip(at, skipHidden)
		default:
			err = s.dir(at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// delivered reads cur or new of a Maildir: every file is a message.
func (s *scanner) delivered(maildir, at string) error {
	entries, err := os.ReadDir(s.a.file(source{name: at}))
	if err != nil {
		s.keepBelow(at, err)
		return nil
	}
	for _, d := range entries {
		file := path.Join(at, d.Name())
		info, why := s.stat(file, d)
		switch {
		case why != "":
			s.skip(file, why)
		case info == nil:
		case info.IsDir():
			s.skip(file, skipSpecial)
		default:
			if err := s.maildirFile(maildir, file, info); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *scanner) maildirFile(maildir, file string, info fs.FileInfo) error {
	if i, ok := s.byName[file]; ok && s.same(i, info) {
		s.takeOver(i)
		return nil
	}
	s.changed = true
	unique, marks := cutMarks(path.Base(file))
	in := folderOf(maildir)
	folder, mark := in.folder, provider.MarkUnknown
	if in.sent {
		mark = provider.MarkSent
	}
	if strings.Contains(marks, "T") {
		folder = provider.FolderTrash
	} else if strings.Contains(marks, "D") {
		folder = provider.FolderDraft
	}
	e := entry{id: sum(s.mac, "maildir\x00"+maildir+"\x00"+unique),
		flags: flagsOf(folder, mark, !strings.Contains(marks, "S"))}
	if before, ok := s.before(e.id); ok {
		// A flag is set by giving the file another name.
		src := s.old.sources[before.source]
		if src.size == info.Size() && src.mtime == info.ModTime().UnixNano() {
			src.name = file
			s.copyEntry(before, s.add(src), e.flags)
			return nil
		}
	}
	_, f, err := s.open(file)
	if err != nil {
		s.unread(file, err)
		return nil
	}
	defer f.Close()
	return s.one(f, e, file, info, nameTime(unique))
}

// cutMarks splits the name of a file in a Maildir. Where a file system does not take ":", programs
// use ";" or "!".
func cutMarks(name string) (unique, marks string) {
	for _, separator := range []string{":2,", ";2,", "!2,"} {
		if i := strings.LastIndex(name, separator); i >= 0 {
			return name[:i], name[i+len(separator):]
		}
	}
	return strings.TrimRight(name, ":;!"), ""
}

// nameTime is the time that the name of a file in a Maildir begins with.
func nameTime(unique string) time.Time {
	digits, _, _ := strings.Cut(unique, ".")
	seconds, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || seconds < 1e8 || seconds > 1e10 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// isMaildir says whether a folder is a Maildir: it has cur and new, or one of them and another sign.
func isMaildir(name string, entries []fs.DirEntry) bool {
	boxes, signs := 0, 0
	for _, d := range entries {
		switch d.Name() {
		case "cur", "new":
			if d.IsDir() {
				boxes++
			}
		case "tmp", "maildirfolder":
			signs++
		}
	}
	if strings.HasPrefix(path.Base(name), ".") {
		signs++
	}
	return boxes == 2 || boxes == 1 && signs > 0
}

func (s *scanner) maildirAt(at string) bool {
	entries, err := os.ReadDir(s.a.file(source{name: at}))
	return err == nil && isMaildir(at, entries)
}

func extension(name string) string { return strings.ToLower(path.Ext(name)) }
