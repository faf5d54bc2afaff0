
namespace Gateway.Web.Layout;

/// <summary>One page of a long list.</summary>
/// <param name="Rows">What it shows.</param>
/// <param name="Total">How many there are on all pages.</param>
/// <param name="At">Its number, from 1.</param>
/// <param name="Pages">How many pages there are, at least 1.</param>
internal sealed record Paged<T>(IReadOnlyList<T> Rows, int Total, int At, int Pages);

/// <summary>Long lists come in pages, so that each stays small.</summary>
internal static class Paging
{
    /// <param name="page">Which page; the nearest that there is.</param>
    /// <param name="perPage">How many rows one has; fewer where a row has forms.</param>
    public static Paged<T> Cut<T>(IReadOnlyCollection<T> all, int page, int perPage = 50)
    {
        var pages = Math.Max(1, (all.Count + perPage - 1) / perPage);
        var at = Math.Clamp(page, 1, pages);
        return new([.. all.Skip((at - 1) * perPage).Take(perPage)], all.Count, at, pages);
    }
}
