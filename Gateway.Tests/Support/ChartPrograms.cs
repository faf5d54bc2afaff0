using System.IO.Compression;

namespace Gateway.Tests.Support;

/// <summary>Helm and kubectl of the folder Providers/charts, unpacked once.</summary>
internal static class ChartPrograms
{
    private static readonly Lazy<string> _folder = new(Unpack);

    public static Task<ProgramRun> HelmAsync(params string[] arguments) =>
        ProgramRun.OfAsync(Path.Combine(_folder.Value, "helm", "helm"), arguments);

    public static Task<ProgramRun> KubectlAsync(params string[] arguments) =>
        ProgramRun.OfAsync(Path.Combine(_folder.Value, "kubectl", "kubectl"), arguments);

    private static string Unpack()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "chart-programs");
        if (!File.Exists(Path.Combine(folder, "complete")))
        {
            ZipFile.ExtractToDirectory(RealComponents.ChartPrograms, folder, overwriteFiles: true);
            File.WriteAllText(Path.Combine(folder, "complete"), "");
        }

        return folder;
    }
}
