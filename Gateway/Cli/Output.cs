using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Gateway.Settings;

namespace Gateway.Cli;

/// <summary>How verbs speak: results on standard output, complaints on standard error, 0, 1 or 2 as exit code.</summary>
internal static class Output
{
    public const int Fine = 0;

    /// <summary>A problem was found, or the action failed.</summary>
    public const int Failed = 1;

    /// <summary>The command line was not understood.</summary>
    public const int Usage = 2;

    public static int Fail(string message)
    {
        Console.Error.WriteLine(message);
        return Failed;
    }

    public static void Json<T>(T value, JsonTypeInfo<T> type) => Console.WriteLine(JsonSerializer.Serialize(value, type));

    /// <summary>Columns as wide as their widest cell.</summary>
    public static void Table(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string?>> rows)
    {
        IReadOnlyList<string?>[] all = [header, .. rows];
        var widths = Enumerable.Range(0, header.Count).Select(column => all.Max(row => Clean(row[column]).Length)).ToArray();
        foreach (var row in all)
        {
            Console.WriteLine(string.Join("  ", row.Select((cell, column) => Clean(cell).PadRight(widths[column]))).TrimEnd());
        }
    }

    /// <summary>What somebody sent as a name steers no terminal, and has nothing in it that cannot be seen.</summary>
    public static string Clean(string? cell) => cell is null or "" ? "-" : OutsideText.Clean(cell, int.MaxValue);
}
