using System.Globalization;
using System.Text;

namespace Gateway.Web.Layout;

/// <summary>Tables for spreadsheets (RFC 4180).</summary>
internal static class Csv
{
    private static readonly UTF8Encoding _utf8 = new(encoderShouldEmitUTF8Identifier: false);

    public static IResult Of(IEnumerable<string> head, IEnumerable<IEnumerable<string?>> rows) => Results.Bytes(
        _utf8.GetBytes(string.Concat(rows.Prepend(head).Select(row => Line(row) + "\r\n"))), "text/csv; charset=utf-8");

    public static string Line(IEnumerable<string?> cells) => string.Join(',', cells.Select(Cell));

    /// <summary>As spreadsheets read times; empty for none.</summary>
    public static string Time(DateTimeOffset? at) => at?.ToString("u", CultureInfo.InvariantCulture) ?? "";

    /// <summary>What a spreadsheet would take for a formula begins with an apostrophe.</summary>
    private static string Cell(string? text) => text switch
    {
        null or "" => "",
        ['=' or '+' or '-' or '@' or '\t' or '\r', ..] => $"\"'{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"",
        _ => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"",
    };
}
