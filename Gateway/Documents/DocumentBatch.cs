using System.Globalization;
using System.Text.Json.Serialization;

namespace Gateway.Documents;

/// <summary>How many things of a kind were ever made: numbers are not given twice.</summary>
internal sealed record Counter(string Of, long Last)
{
    public const string Kind = "counter";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Counter))]
internal sealed partial class CounterJson : JsonSerializerContext;

/// <summary>What one change is to store, all or nothing.</summary>
internal sealed class DocumentBatch(DocumentCollection<Counter> counters)
{
    private readonly Dictionary<string, DocumentChange> _changes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _numbers = new(StringComparer.Ordinal);

    public IReadOnlyList<DocumentChange> Changes => [.. _changes.Values];

    public void Put<T>(DocumentCollection<T> collection, T value)
        where T : class
    {
        var change = collection.Write(value);
        _changes[change.Id] = change;
    }

    /// <summary>Puts something new: where there is something of that id already, the change is decided anew.</summary>
    public void Add<T>(DocumentCollection<T> collection, T value)
        where T : class
    {
        var change = collection.Write(value);
        _changes[change.Id] = change with { Expected = 0 };
    }

    public void Remove<T>(DocumentCollection<T> collection, T value)
        where T : class
    {
        var change = collection.Delete(value);
        _changes[change.Id] = change;
    }

    /// <summary>A number that nothing of this kind ever had.</summary>
    public long NextNumber(string of)
    {
        var number = (_numbers.TryGetValue(of, out var given) ? given : counters.Snapshot.Find($"{Counter.Kind}/{of}")?.Last ?? 0) + 1;
        _numbers[of] = number;
        Put(counters, new Counter(of, number));
        return number;
    }

    /// <summary>How the number in a document's id is written.</summary>
    public static string NameOf(long number) => number.ToString(CultureInfo.InvariantCulture);
}
