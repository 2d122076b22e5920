// Package browser holds no code: its tests use the console as people do, in a real Chromium, on a
// whole running server.
//
// It owns what only a browser can tell: that the pages can be used from the first owner's link to
// a working integration, and from what 'rollcall dev' prints, over TLS; that passkeys work, that
// whoever is suspended is thrown out, that accessibility rules (axe-core) find nothing in either
// theme, and how it all looks (the screenshots, in .cache/screenshots). It leaves each page and
// form, and every attack, to the tests of internal/console. It is a module of its own, so that
// nobody else builds a browser's protocol.
package browser
