using System.Security.Cryptography;
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

    private static readonly string[] _classes = [.. Enum.GetNames<AuditClass>().Select(SnakeCase.From)];
    private static readonly string[] _kinds = [.. Enum.GetNames<AuditKind>().Select(SnakeCase.From)];

    /// <summary>What stands before the first line.</summary>
    public static string NoHash { get; } = new('0', SHA256.HashSizeInBytes * 2);

    /// <summary>The position, from 1 on, without a gap.</summary>
    [JsonPropertyName("n")]
    public long Number { get; init; }

    /// <summary><c>read</c>, <c>change</c> or <c>refusal</c> for an entry; else what it says about earlier lines.</summary>
    [JsonPropertyName("t")]
    public required string Type { get; init; }

    public required DateTimeOffset At { get; init; }

    public string? Id { get; init; }

    public string? Kind { get; init; }

    public string? Actor { get; init; }

    public string? Token { get; init; }

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
    public string Prev { get; init; } = "";

    [JsonIgnore]
    public bool IsEntry => Type is "read" or "change" or "refusal";

    /// <summary>The line of a record, before it has its place in a chain.</summary>
    public static ChainLine From(AuditRecord record, DateTimeOffset now) => record switch
    {
        AuditRecord.Begun { Entry: var entry } => new()
        {
            Type = _classes[(int)entry.Class],
            At = entry.At,
            Id = entry.RequestId,
            Kind = _kinds[(int)entry.Kind],
            Actor = entry.Actor,
            Token = entry.Token,
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
        },
        AuditRecord.Ended { Outcome: var outcome } => new()
        {
            Type = Outcome,
            At = now,
            Of = outcome.RequestId,
            Reason = outcome.Reason,
            Status = outcome.Status,
            Ms = Math.Round(outcome.Duration, 3),
            Detail = outcome.Made,
        },
        AuditRecord.Counted { Count: var count } =>
            new() { Type = Count, At = now, Of = count.RequestId, Many = count.Count, Last = count.Last },
        _ => throw new ArgumentOutOfRangeException(nameof(record)),
    };

    /// <summary>Writes the line as it is kept, without its end.</summary>
    /// <param name="number">Its position.</param>
    /// <param name="prev">The hash of the line before it.</param>
    public void WriteTo(Utf8JsonWriter json, long number, string prev)
    {
        json.WriteStartObject();
        json.WriteNumber("n"u8, number);
        json.WriteString("t"u8, Type);
        json.WriteString("at"u8, At);
        Write(json, "id"u8, Id);
        Write(json, "kind"u8, Kind);
        Write(json, "actor"u8, Actor);
        Write(json, "token"u8, Token);
        Write(json, "role"u8, Role);
        Write(json, "user"u8, User);
        Write(json, "row"u8, Row);
        Write(json, "method"u8, Method);
        Write(json, "path"u8, Path);
        Write(json, "reason"u8, Reason);
        Write(json, "status"u8, Status);
        Write(json, "client"u8, Client);
        if (Ms is { } ms)
        {
            json.WriteNumber("ms"u8, ms);
        }

        Write(json, "detail"u8, Detail);
        Write(json, "before"u8, Before);
        Write(json, "after"u8, After);
        Write(json, "many"u8, Many);
        if (Last is { } last)
        {
            json.WriteString("last"u8, last);
        }

        Write(json, "of"u8, Of);
        Write(json, "through"u8, Through);
        Write(json, "head"u8, Head);
        Write(json, "signature"u8, Signature);
        json.WriteString("prev"u8, prev);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    private static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, long? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
    }

    /// <summary>Null when it is none.</summary>
    public static ChainLine? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ChainLineJson.Default.ChainLine);
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
        Kind = (AuditKind)Math.Max(0, Array.IndexOf(_kinds, Kind)),
        Actor = Actor,
        Token = Token,
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
        Outcome => entry with { Reason = Reason ?? entry.Reason, Status = Status, Duration = Ms, Detail = Detail ?? entry.Detail },
        Count => entry with { Count = Many ?? entry.Count, Last = Last },
        _ => entry,
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(ChainLine))]
internal sealed partial class ChainLineJson : JsonSerializerContext;
