using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Policy;

namespace Gateway.Audit;

/// <summary>One line of the audit as it is kept: a JSON object with the hash of the line before it.</summary>
internal sealed record ChainLine
{
    public const string Outcome = "outcome";
    public const string Count = "count";
    public const string Close = "close";
    public const string Note = "note";
    public const string Retention = "retention";

    /// <summary>What stands before the first line.</summary>
    public static string NoHash { get; } = new('0', SHA256.HashSizeInBytes * 2);

    /// <summary>The position, from 1 on, without a gap.</summary>
    [JsonPropertyName("n")]
    public required long Number { get; init; }

    /// <summary><c>read</c>, <c>change</c> or <c>refusal</c> for an entry; else what it says about earlier lines.</summary>
    [JsonPropertyName("t")]
    public required string Type { get; init; }

    public required DateTimeOffset At { get; init; }

    public string? Id { get; init; }

    public string? Kind { get; init; }

    public string? Actor { get; init; }

    public string? Role { get; init; }

    public string? User { get; init; }

    public string? Row { get; init; }

    public string? Method { get; init; }

    public string? Path { get; init; }

    public string? Reason { get; init; }

    public int? Status { get; init; }

    public string? Client { get; init; }

    public double? Ms { get; init; }

    public string? Detail { get; init; }

    public string? Before { get; init; }

    public string? After { get; init; }

    /// <summary>Of how many an entry stands for, and when the last of them was.</summary>
    public long? Many { get; init; }

    public DateTimeOffset? Last { get; init; }

    /// <summary>The entry that an outcome or a count is about, by its request id.</summary>
    public string? Of { get; init; }

    /// <summary>The last line that retention deleted.</summary>
    public long? Through { get; init; }

    /// <summary>The hash that a signature or a retention is about.</summary>
    public string? Head { get; init; }

    public string? Signature { get; init; }

    /// <summary>SHA-256 of the line before, in lower-case hex.</summary>
    public required string Prev { get; init; }

    [JsonIgnore]
    public bool IsEntry => Type is "read" or "change" or "refusal";

    /// <summary>The line of a record; <see cref="Number"/> and <see cref="Prev"/> are for whoever chains it.</summary>
    public static ChainLine From(AuditRecord record, DateTimeOffset now) => record switch
    {
        AuditRecord.Begun { Entry: var entry } => new()
        {
            Number = 0,
            Type = SnakeCase.From(entry.Class.ToString()),
            At = entry.At,
            Id = entry.RequestId,
            Kind = SnakeCase.From(entry.Kind.ToString()),
            Actor = entry.Actor,
            Role = entry.Role,
            User = entry.HeadscaleUser,
            Row = entry.Row,
            Method = entry.Method,
            Path = entry.Path,
            Reason = entry.Reason,
            Status = entry.Status,
            Client = entry.Client,
            Ms = entry.Duration is { } took ? Math.Round(took, 3) : null,
            Detail = entry.Detail,
            Before = entry.Before,
            After = entry.After,
            Many = entry.Count > 1 ? entry.Count : null,
            Last = entry.Last,
            Prev = "",
        },
        AuditRecord.Ended { Outcome: var outcome } => new()
        {
            Number = 0,
            Type = Outcome,
            At = now,
            Of = outcome.RequestId,
            Reason = outcome.Reason,
            Status = outcome.Status,
            Ms = Math.Round(outcome.Duration, 3),
            Prev = "",
        },
        AuditRecord.Counted { Count: var count } => new() { Number = 0, Type = Count, At = now, Of = count.RequestId, Many = count.Count, Last = count.Last, Prev = "" },
        _ => throw new ArgumentOutOfRangeException(nameof(record)),
    };

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, ChainLineJson.Format.ChainLine);

    /// <summary>Null when it is none.</summary>
    public static ChainLine? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ChainLineJson.Format.ChainLine);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What the next line says of this one.</summary>
    public static string HashOf(ReadOnlySpan<byte> line) => Convert.ToHexStringLower(SHA256.HashData(line));

    public AuditEntry ToEntry() => new()
    {
        Id = Number,
        At = At,
        RequestId = Id ?? "",
        Kind = Enum.GetValues<AuditKind>().FirstOrDefault(one => SnakeCase.From(one.ToString()) == Kind),
        Actor = Actor,
        Role = Role,
        HeadscaleUser = User,
        Row = Row,
        Method = Method ?? "",
        Path = Path ?? "",
        Reason = Reason ?? "",
        Status = Status,
        Client = Client,
        Duration = Ms,
        Detail = Detail,
        Before = Before,
        After = After,
        Count = Many ?? 1,
        Last = Last,
    };

    /// <summary>An entry with what a later line says about it.</summary>
    public AuditEntry AddTo(AuditEntry entry) => Type switch
    {
        Outcome => entry with { Reason = Reason ?? entry.Reason, Status = Status, Duration = Ms },
        Count => entry with { Count = Many ?? entry.Count, Last = Last },
        _ => entry,
    };
}

[JsonSerializable(typeof(ChainLine))]
internal sealed partial class ChainLineJson : JsonSerializerContext
{
    /// <summary>Text stays readable; control characters are escaped, and so a line is one line.</summary>
    public static ChainLineJson Format { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
