package node

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// keyFileName is where the key lies unless a file is named.
const keyFileName = "console.key"

// keyBytes is the length of the key: AES-256.
const keyBytes = 32

// consoleKey is the key with which an issuer's client secrets are sealed. It lies in a file of
// its own, so that who has a copy of the database has no secret. It is made when it is
// first needed.
type consoleKey struct {
	path string
	rand io.Reader

	mu   sync.Mutex
	aead cipher.AEAD
}

// sealer returns the cipher; the file is read once.
func (k *consoleKey) sealer() (cipher.AEAD, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.aead != nil {
		return k.aead, nil
	}
	key, err := k.read()
	if err != nil {
		return nil, fmt.Errorf("the console's key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	k.aead, err = cipher.NewGCMWithRandomNonce(block)
	return k.aead, err
}

func (k *consoleKey) read() ([]byte, error) {
	key, err := os.ReadFile(k.path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := k.make(); err != nil {
			return nil, err
		}
		key, err = os.ReadFile(k.path)
	}
	if err != nil {
		return nil, err
	}
	if len(key) != keyBytes {
		return nil, fmt.Errorf("%s holds %d bytes: it must hold %d random ones", k.path, len(key), keyBytes)
	}
	return key, nil
}

// make writes a new key, whole or not at all: of several processes that make one at once, all
// read the same. O_EXCL on the name itself would show a half-written file to another one.
func (k *consoleKey) make() (err error) {
	f, err := os.CreateTemp(filepath.Dir(k.path), keyFileName+".new-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	if _, err := io.CopyN(f, k.rand, keyBytes); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), k.path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
