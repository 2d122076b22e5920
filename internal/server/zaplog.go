package server

import (
	"context"
	"log/slog"

	"go.uber.org/zap/zapcore"
)

// slogCore lets certmagic, which speaks zap, write to the structured log.
type slogCore struct{ log *slog.Logger }

var zapLevels = map[zapcore.Level]slog.Level{
	zapcore.DebugLevel: slog.LevelDebug,
	zapcore.InfoLevel:  slog.LevelInfo,
	zapcore.WarnLevel:  slog.LevelWarn,
}

// toSlog maps what is above a warning to an error: certmagic's fatal is not ours.
func toSlog(level zapcore.Level) slog.Level {
	if known, ok := zapLevels[level]; ok {
		return known
	}
	return slog.LevelError
}

// Enabled implements zapcore.LevelEnabler.
func (c slogCore) Enabled(level zapcore.Level) bool {
	return c.log.Enabled(context.Background(), toSlog(level))
}

// With implements zapcore.Core.
func (c slogCore) With(fields []zapcore.Field) zapcore.Core {
	return slogCore{c.log.With(attrs(fields)...)}
}

// Check implements zapcore.Core.
func (c slogCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return checked.AddCore(entry, c)
	}
	return checked
}

// Write implements zapcore.Core. Text that came from a network peer is escaped like net/http's.
func (c slogCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	c.log.With(attrs(fields)...).LogAttrs(context.Background(), toSlog(entry.Level), "certmagic",
		slog.String("logger", entry.LoggerName), slog.String("detail", escape(entry.Message)))
	return nil
}

// Sync implements zapcore.Core; slog does not buffer.
func (c slogCore) Sync() error { return nil }

func attrs(fields []zapcore.Field) []any {
	encoded := zapcore.NewMapObjectEncoder()
	out := make([]any, 0, len(fields))
	for _, field := range fields {
		field.AddTo(encoded)
	}
	for key, value := range encoded.Fields {
		if text, ok := value.(string); ok {
			value = escape(text)
		}
		out = append(out, slog.Any(key, value))
	}
	return out
}
