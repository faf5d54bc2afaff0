using Gateway.Audit;

namespace Gateway.Store.Postgres;

/// <summary>A line of the audit as the table keeps it.</summary>
internal sealed record StoredLine(ChainLine Line, long Number, string Text, DateTimeOffset At);
