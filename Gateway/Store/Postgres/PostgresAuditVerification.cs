using System.Text;
using Gateway.Audit;
using Npgsql;

namespace Gateway.Store.Postgres;

/// <summary>Looks at every line of every chain that is in PostgreSQL.</summary>
internal static class PostgresAuditVerification
{
    /// <param name="isSigned">Whether a signature of a line's number and hash is ours; null when that cannot be told.</param>
    /// <param name="signed">Where chains were signed last.</param>
    /// <param name="written">How far the chain of this process goes; null for none.</param>
    public static async Task<AuditVerification> RunAsync(
        NpgsqlConnection connection, Func<long, string, string, bool?> isSigned, IReadOnlyList<AuditHead> signed, AuditHead? written,
        CancellationToken cancel)
    {
        var (lines, problems, notes) = (0L, new List<string>(), new List<string>());
        var kept = await connection.QueryAsync(
            $"select line from headtower_audit where type = '{ChainLine.Retention}'",
            reader => ChainLine.Parse(Encoding.UTF8.GetBytes(reader.GetString(0)))!,
            cancel);
        var chains = await connection.QueryAsync(
            "select distinct replica from headtower_audit order by replica", reader => reader.GetString(0), cancel);
        problems.AddRange(
            signed.Append(written).OfType<AuditHead>().Where(one => one.Chain != AuditHead.Files && !chains.Contains(one.Chain))
                .GroupBy(one => one.Chain).Select(one => $"{one.Key}: all {one.Max(head => head.Number)} lines were removed"));
        foreach (var chain in chains)
        {
            var verifier = new ChainVerifier(
                isSigned, signed.FirstOrDefault(one => one.Chain == chain), written?.Chain == chain ? written : null);
            foreach (var line in kept.Where(one => one.Detail == chain && one.Through is not null))
            {
                verifier.Allow(line.Through!.Value, line.Head ?? "");
            }

            await using var command = new NpgsqlCommand(
                "select n, line from headtower_audit where replica = $1 order by n, id", connection)
            {
                Parameters = { new() { Value = chain } },
            };
            await using var reader = await command.ExecuteReaderAsync(cancel);
            while (await reader.ReadAsync(cancel))
            {
                verifier.Look($"{chain} line {reader.GetInt64(0)}", Encoding.UTF8.GetBytes(reader.GetString(1)));
            }

            var result = verifier.Finish();
            lines += result.Lines;
            problems.AddRange(result.Problems);
            notes.AddRange(result.Notes);
        }

        return new AuditVerification(lines, problems, notes);
    }
}
